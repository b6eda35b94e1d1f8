# SPDX-License-Identifier: GPL-2.0-or-later
"""Signed requests as they leave hairpin-publish, from within its sandbox, verified by the server: what libcurl signs
itself (AWS Signature Version 4), a digest with a key, and RSA."""

import hashlib
import hmac
import json
import os
import re
import subprocess
import sys

sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__))), os.path.dirname(os.path.abspath(__file__))]
from tap import run_all, same  # noqa: E402
import publish_side as side  # noqa: E402
from publish_side import FOLDER, UPDATE, Web, http, make_job, one  # noqa: E402

ADDRESS = '81.2.69.7'
KEY, SECRET = 'AKIDEXAMPLE', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCY'
RULES = [{'contains': '<fine/>', 'means': 'good'}]


class Request:
    """One whole request: the head that the server has read, and what is still to come of its body."""

    def __init__(self, text, stream):
        head, _, body = text.partition('\r\n\r\n')
        first, *lines = head.split('\r\n')
        self.method, self.target, _ = first.split(' ')
        self.headers = {name.lower(): value.strip() for name, value in (line.split(':', 1) for line in lines)}
        assert len(self.headers) == len(lines), lines
        body = body.encode()
        while len(body) < int(self.headers.get('content-length', 0)):
            body += stream.recv(4096)
        self.body = body
        self.path, _, self.query = self.target.partition('?')


def publish(step, settings, sign):
    """The answer, and the request as the server had it."""
    seen = []

    def say(text, stream):
        seen.append(Request(text, stream))
        return http('<fine/>')
    web.say = say
    document = {'id': 'signed', 'name': 'Signed', 'status': 'alive', 'answers': RULES, 'sign': sign,
                'settings': {name: {'required': True, 'secret': name != 'key', 'help': 'of the test',
                                    **({'kind': 'document'} if name == 'private_key' else {})} for name in settings},
                'requests': [step]}
    with open(f'{FOLDER}/ca.pem') as file:
        ca = file.read()
    pairs = [text for pair in settings.items() for text in pair]
    answer = one(make_job(UPDATE, [('home.example.org', ADDRESS)],
                          texts=[json.dumps(document), '', ca, '', *pairs]))
    return answer, seen


def sign_aws(key, *messages):
    for message in messages:
        key = hmac.new(key, message.encode(), hashlib.sha256).digest()
    return key


def aws_signature(request, secret):
    """What AWS would compute of the request that came (Signature Version 4, from its documentation)."""
    found = re.fullmatch(r'AWS4-HMAC-SHA256 Credential=(\S+?)/(\d{8})/(\S+?)/(\S+?)/aws4_request, ?'
                         r'SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})', request.headers['authorization'])
    key, date, region, service, names, signature = found.groups()
    canonical = '\n'.join([request.method, request.path, '&'.join(sorted(filter(None, request.query.split('&')))),
                           *(f'{name}:{" ".join(request.headers[name].split())}' for name in names.split(';')), '',
                           names, hashlib.sha256(request.body).hexdigest()])
    text = '\n'.join(['AWS4-HMAC-SHA256', request.headers['x-amz-date'], f'{date}/{region}/{service}/aws4_request',
                      hashlib.sha256(canonical.encode()).hexdigest()])
    wanted = sign_aws(f'AWS4{secret}'.encode(), date, region, service, 'aws4_request', text).hex()
    return key, region, service, names.split(';'), signature == wanted


AWS = {'by': 'aws4', 'region': 'us-east-1', 'service': 'route53', 'key': '{key}', 'secret': '{secret}'}
XML = ('<?xml version="1.0" encoding="UTF-8"?><Change><Name>{hostname}</Name><Type>{rrtype}</Type>'
       '<Value>{ip}</Value></Change>')


def test_aws4_post():
    """aws4: a POST with a body in XML, as Route 53 has it"""
    answer, (request,) = publish({'method': 'POST', 'url': f'https://{side.PROVIDER}/2013-04-01/hostedzone/Z1/rrset',
                                  'body': XML, 'body_type': 'xml'}, {'key': KEY, 'secret': SECRET}, AWS)
    same(answer.verdict, 'good', answer)
    same(request.body, XML.format(hostname='home.example.org', rrtype='A', ip=ADDRESS).encode())
    key, region, service, names, fine = aws_signature(request, SECRET)
    same((key, region, service, fine), (KEY, 'us-east-1', 'route53', True))
    assert {'content-type', 'host', 'x-amz-date'} <= set(names), names
    assert not aws_signature(request, SECRET + 'x')[-1]


def test_aws4_query():
    """aws4: a query that is not in order"""
    answer, (request,) = publish({'url': f'https://{side.PROVIDER}/2013-04-01/rrset?type={{rrtype}}&name=*.{{hostname}}'
                                         '&a=1,2&ip={ip}'}, {'key': KEY, 'secret': SECRET}, AWS)
    same(answer.verdict, 'good', answer)
    same(request.query, f'a=1%2C2&ip={ADDRESS}&name=%2A.home.example.org&type=A')
    assert aws_signature(request, SECRET)[-1], request.headers


def test_aws4_nothing():
    """aws4: a POST with nothing in it"""
    answer, (request,) = publish({'method': 'POST', 'url': f'https://{side.PROVIDER}/{{ip}}'},
                                 {'key': KEY, 'secret': SECRET}, AWS)
    same((answer.verdict, request.headers['content-length']), ('good', '0'))
    assert aws_signature(request, SECRET)[-1], request.headers


def test_digest():
    """nfsn: a digest over the body as it is sent"""
    answer, (request,) = publish({'method': 'POST', 'url': f'https://{side.PROVIDER}/dns/example.org/addRR',
                                  'body': 'name={hostname}&data={ip}', 'body_type': 'form'},
                                 {'key': KEY, 'secret': SECRET}, {'by': 'nfsn', 'login': '{key}', 'key': '{secret}'})
    same(answer.verdict, 'good', answer)
    login, when, salt, value = request.headers['x-nfsn-authentication'].split(';')
    body = hashlib.sha1(request.body).hexdigest()
    same(value, hashlib.sha1(f'{login};{when};{salt};{SECRET};{request.target};{body}'.encode()).hexdigest())
    same((login, len(salt)), (KEY, 16))


RSA = {'method': 'POST', 'url': f'https://{side.PROVIDER}/v6/auth', 'body': {'login': '{ip}'}}


def test_rsa():
    """transip: RSA in the sandbox"""
    side.openssl('genrsa', '-out', 'rsa.key', '2048')
    side.openssl('rsa', '-in', 'rsa.key', '-pubout', '-out', 'rsa.pub')
    with open(f'{FOLDER}/rsa.key') as file:
        private_key = file.read()
    answer, (request,) = publish(RSA, {'private_key': private_key}, {'by': 'transip', 'private_key': '{private_key}'})
    same(answer.verdict, 'good', answer)
    with open(f'{FOLDER}/body', 'wb') as file:
        file.write(request.body)
    subprocess.run(['openssl', 'base64', '-d', '-A', '-out', f'{FOLDER}/signature'], check=True,
                   input=request.headers['signature'].encode())
    side.openssl('dgst', '-sha512', '-verify', 'rsa.pub', '-signature', 'signature', 'body')


def test_no_key():
    """a key that is none is named, not shown, and nothing is sent"""
    answer, seen = publish(RSA, {'private_key': 'correct\nhorse'}, {'by': 'transip', 'private_key': '{private_key}'})
    same((answer.verdict, seen), ('bad request', []))
    assert 'private_key' in answer.text and 'horse' not in answer.text, answer


side.start_internet()
web = Web(443)
run_all(globals())
