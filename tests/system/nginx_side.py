# SPDX-License-Identifier: GPL-2.0-or-later
"""HTTP/2 before a plain server of ours: nginx."""

import subprocess
import time

from publish_side import FOLDER, WEB
from tap import Skip


def start_nginx(port, behind, certificate='good'):
    """In front of the plain server `behind`, to which it says by which connection and protocol a request came."""
    paths = ''.join(f'{what}_temp_path {FOLDER}/{what}; ' for what in ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'))
    with open(f'{FOLDER}/nginx.conf', 'w') as conf:
        conf.write(f'''daemon off; pid {FOLDER}/nginx.pid; worker_processes 1; user root;
events {{ }}
http {{
  access_log off; {paths}
  server {{
    listen {WEB}:{port} ssl http2;
    ssl_certificate {FOLDER}/{certificate}.pem; ssl_certificate_key {FOLDER}/{certificate}.key;
    location / {{
      proxy_pass http://{WEB}:{behind};
      proxy_set_header X-Connection $connection;
      proxy_set_header X-Protocol $server_protocol;
    }}
  }}
}}
''')
    nginx = subprocess.Popen(['nginx', '-e', f'{FOLDER}/nginx.err', '-c', f'{FOLDER}/nginx.conf'],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(100):
        done = subprocess.run(['curl', '-sk', '-o', '/dev/null', '-w', '%{http_version}', f'https://{WEB}:{port}/none'],
                              capture_output=True, text=True, check=False)
        if done.stdout not in ('', '0'):
            break
        time.sleep(0.05)
    if done.stdout != '2':
        nginx.terminate()
        raise Skip(f'nginx or curl does not speak HTTP/2 here: {done.stdout!r}')
    return nginx
