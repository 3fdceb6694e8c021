import { describe, expect, test } from 'bun:test';
import { checkTarget, sendToTargets, TargetRefused } from './targets.ts';

/** The same places in every notation that a URL takes. */
const local = [
  ...[
    'http://127.0.0.1/',
    'http://localhost/',
    'https://LOCALHOST:8443/x',
    'http://localhost./',
    'http://a.localhost/',
  ],
  ...[
    'http://2130706433/',
    'http://0x7f.1/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://0x7f000001/',
    'http://１２７.0.0.1/',
  ],
  ...['http://0/', 'http://0.0.0.0/', 'http://[::]/', 'http://[::1]/', 'http://[0:0:0:0:0:0:0:1]:80/'],
  ...[
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[::127.0.0.1]/',
    'http://[64:ff9b::7f00:1]/',
  ],
  ...[
    'http://10.0.0.7:8080/',
    'http://172.31.0.1/',
    'http://192.168.1.1/',
    'http://3232235777/',
    'http://100.64.0.1/',
  ],
  ...[
    'http://169.254.169.254/latest/meta-data',
    'http://[fe80::1]/',
    'http://[fd00::1]/',
    'http://[fec0::1]/',
  ],
  ...[
    'http://224.0.0.1/',
    'http://[ff02::1]/',
    'http://255.255.255.255/',
    'http://[2002:a00:1::]/',
    'http://127.0.0.1./',
  ],
];

describe('checkTarget()', () => {
  test('checkTarget() refuses what is not public in every notation, and says what allows it', () => {
    for (const url of local) expect([url, checkTarget(url, [])?.refused]).toEqual([url, 'malformed']);
    expect(checkTarget('http://0x7f.1/secret', [])?.detail).toBe(
      'url: 127.0.0.1 is no public address; an operator can allow it by webhook_private_targets',
    );
  });

  test('checkTarget() leaves public addresses and names alone, and what is allowed', () => {
    for (const url of [
      'https://example.com/',
      'http://8.8.8.8/',
      'http://[2606:4700::1]/',
      'http://10.example.com/',
    ]) {
      expect([url, checkTarget(url, [])]).toEqual([url, undefined]);
    }
    const allowed = ['10.0.0.0/8', '::1', 'localhost'];
    for (const url of ['http://10.0.0.7/', 'http://[::1]/', 'http://localhost/', 'http://167772167/']) {
      expect([url, checkTarget(url, allowed)]).toEqual([url, undefined]);
    }
    for (const url of ['http://11.0.0.0@10.0.0.7/', 'http://192.168.0.1/', 'http://127.0.0.1/']) {
      expect([url, checkTarget(url, allowed) === undefined]).toEqual([url, url.includes('@')]);
    }
  });
});

/** A receiver on this machine that says how it was called. */
const receiver = (tls?: { key: string; cert: string }) =>
  Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    ...(tls === undefined ? {} : { tls }),
    fetch: (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === '/moved') return new Response(null, { status: 302, headers: { Location: '/' } });
      return new Response(`${request.method} ${request.headers.get('host')} ${pathname}`);
    },
  });

const post = { method: 'POST', body: 'x', redirect: 'manual' } as const;
const refusal = (sent: Promise<unknown>) =>
  sent.then(
    () => 'sent',
    (error: unknown) => (error instanceof TargetRefused ? error.message : String(error)),
  );

describe('sendToTargets()', () => {
  test('sendToTargets() looks at what a name leads to each time, and sends to that very address', async () => {
    const server = receiver();
    const answers = [['127.0.0.1'], ['10.0.0.1', '::ffff:169.254.169.254'], [], ['fd00::1']];
    const asked: string[] = [];
    const send = sendToTargets(
      () => ['127.0.0.1'],
      async (host) => {
        asked.push(host);
        return answers[asked.length - 1] ?? [];
      },
    );
    const url = `http://hook.example:${server.port}/in?key=1`;
    expect(await (await send(url, post)).text()).toBe(`POST hook.example:${server.port} /in`);
    expect(await refusal(send(url, post))).toBe('hook.example leads to 10.0.0.1, ::ffff:169.254.169.254');
    expect(await refusal(send(url, post))).toStartWith('hook.example leads to');
    expect(await refusal(send(url, post))).toBe('hook.example leads to fd00::1');
    expect(asked).toEqual(Array<string>(4).fill('hook.example'));
    await server.stop(true);
  });

  test('sendToTargets() refuses addresses of this machine unless they are allowed, and follows no redirection', async () => {
    const server = receiver();
    const send = sendToTargets(() => []);
    for (const host of ['127.0.0.1', 'localhost', '0x7f.1', '2130706433', '[::ffff:127.0.0.1]']) {
      expect(await refusal(send(`http://${host}:${server.port}/`, post))).toContain(' leads to ');
    }
    const allowed = sendToTargets(() => ['127.0.0.0/8']);
    expect((await allowed(`http://localhost:${server.port}/moved`, post)).status).toBe(302);
    await server.stop(true);
  });

  test('sendToTargets() tries the next address of a name when one does not answer, and gives up when it is told to', async () => {
    const server = receiver();
    const nobody = ['127.0.0.9', '127.0.0.1'];
    const send = sendToTargets(
      () => ['127.0.0.0/8'],
      async () => nobody,
    );
    expect((await send(`http://hook.example:${server.port}/`, post)).status).toBe(200);
    const never = sendToTargets(
      () => [],
      () => new Promise(() => {}),
    );
    const stop = new AbortController();
    const sent = refusal(never('http://hook.example/', { ...post, signal: stop.signal }));
    stop.abort();
    expect(await sent).toContain('AbortError');
    await server.stop(true);
  });

  test('sendToTargets() keeps the name of the receiver in TLS', async () => {
    const made = Bun.spawnSync([
      ...[
        'openssl',
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        '-',
      ],
      ...[
        '-out',
        '-',
        '-subj',
        '/CN=hook.example',
        '-addext',
        'subjectAltName=DNS:hook.example',
        '-days',
        '2',
      ],
    ]);
    const pem = made.stdout.toString();
    const server = receiver({ key: pem, cert: pem });
    const send = sendToTargets(
      () => ['127.0.0.1'],
      async () => ['127.0.0.1'],
    );
    // Nobody trusts this certificate; what is wrong with it tells whether its name was the right one.
    const why = (host: string) => refusal(send(`https://${host}:${server.port}/`, post));
    expect(await why('hook.example')).toMatch(/self.signed/i);
    await server.stop(true);
  });
});
