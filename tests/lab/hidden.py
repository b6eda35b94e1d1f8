# SPDX-License-Identifier: GPL-2.0-or-later
"""Which secrets a configuration names, and whether a text shows one of them in any guise."""

import base64
import json
import os
import urllib.parse

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHORT = 6		# shorter ones are found in any text


def base64_cores(secret):
    """What base64 of a text shows of a secret in it, wherever it stands: the characters made of its bits alone."""
    for before in range(3):
        text = base64.b64encode(b'\0' * before + secret).decode()
        inner = text[-(-before * 8 // 6):(before + len(secret)) * 8 // 6]
        yield from (inner, inner.translate(str.maketrans('+/', '-_')))


def guises(secret):
    """raw, percent-encoded, in JSON, base64, hexadecimal; and its first 8 characters."""
    raw = secret.encode()
    found = {raw, raw.hex().encode(), json.dumps(secret)[1:-1].encode(), json.dumps(secret, ensure_ascii=False)[1:-1].encode()}
    for safe in ('', '/', "-_.!~*'()"):
        quoted = urllib.parse.quote(secret, safe=safe)
        found |= {text.encode() for text in (quoted, quoted.replace('%20', '+'), quoted.lower())}
    found |= {text.encode() for text in base64_cores(raw)}
    if len(raw) > 8:
        found |= {raw[:8], urllib.parse.quote(raw[:8], safe='').encode()}
    return {guise for guise in found if len(guise) >= SHORT}


class Secrets:
    """Those that were learned so far."""

    def __init__(self):
        self.known = {}			# secret -> its guises
        self.settings = {}		# type -> names of its secret settings

    def add(self, secret):
        if isinstance(secret, str) and len(secret.encode()) >= SHORT and secret not in self.known:
            self.known[secret] = guises(secret)

    def learn(self, path):
        """From a configuration; what is no JSON, or not there, tells none."""
        try:
            with open(path) as file:
                providers = json.load(file).get('providers')
        except (OSError, ValueError, AttributeError):
            return
        for entry in providers if isinstance(providers, list) else []:
            if isinstance(entry, dict):
                self.learn_entry(entry)

    def learn_entry(self, entry):
        for key, value in entry.items():
            if key in self.secret_settings(str(entry.get('type'))):
                self.add(value)
            if isinstance(value, dict):
                self.learn_source(value)

    def learn_source(self, source):
        self.add(os.environ.get(str(source.get('env')), ''))
        path = source.get('file')
        if not isinstance(path, str) or not os.path.isfile(path) or os.path.getsize(path) > 1 << 16:
            return
        with open(path, errors='replace') as file:
            lines = file.read().strip().splitlines()
        if len(lines) == 1:
            self.add(lines[0])
        for line in lines if len(lines) > 1 else []:	# a key file: its own words are no secret
            if not line.startswith('-----'):
                self.add(line.strip())

    def secret_settings(self, kind):
        if kind not in self.settings:
            names = set()
            for folder in ('/etc/hairpind/providers', f'{TOP}/conf/providers'):
                try:
                    with open(f'{folder}/{kind}.json') as file:
                        settings = json.load(file)['settings']
                    names |= {name for name, about in settings.items() if about.get('secret')}
                except (OSError, ValueError, KeyError, AttributeError):
                    pass
            self.settings[kind] = names
        return self.settings[kind]

    def shown_in(self, text):
        """The first secret that a text shows, and its guise; None."""
        for secret, shapes in self.known.items():
            for guise in shapes:
                if guise in text:
                    return secret, guise
        return None
