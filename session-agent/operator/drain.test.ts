import { afterEach, expect, test } from 'bun:test';
import { testTerminal } from '../testing/terminal.ts';
import { tellDraining } from './drain.ts';
import { Failed } from './surroundings.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** The config of a host whose coordinator answers so, and what that was asked. */
const withCoordinator = (answer: (request: Request) => Response) => {
  const asked: { method: string; url: URL; key: string | null; body: unknown }[] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const key = request.headers.get('authorization');
      asked.push({ method: request.method, url: new URL(request.url), key, body: await request.json() });
      return answer(request);
    },
  });
  stops.push(() => void server.stop(true));
  const config = {
    coordinator: `ws://127.0.0.1:${server.port}/base/agent`,
    server_name: 'студия 1',
    key: 'k',
  };
  return { config, asked };
};

test('tellDraining() asks beside the link, with the key of the host, and tells what holds afterwards', async () => {
  using under = testTerminal();
  const { config, asked } = withCoordinator(() =>
    Response.json({ draining: { by: 'operator', cards: [1], newer: 1 }, newer: 2 }),
  );
  expect(await tellDraining(config, true, under.terminal)).toEqual({ by: 'operator', cards: [1] });
  const [{ url, ...rest } = { url: new URL('http://nobody') }] = asked;
  expect(rest).toEqual({ method: 'POST', key: 'Bearer k', body: { draining: true } });
  expect([url.pathname, url.searchParams.get('server_name')]).toEqual(['/base/agent/draining', 'студия 1']);
});

test.each<[string, () => Response, string]>([
  ['an older coordinator', () => new Response('nothing here', { status: 404 }), 'update the coordinator'],
  [
    'a key that is wrong',
    () =>
      Response.json(
        { type: 'about:blank', title: 'No.', status: 401, retryable: false, code: 'agent_key_wrong' },
        { status: 401 },
      ),
    'enrol this host anew',
  ],
  ['something else', () => new Response('hello'), 'is it a coordinator?'],
  ['a redirect', () => Response.redirect('http://127.0.0.1:9/'), 'cannot be reached'],
])('tellDraining() says what is wrong: %s', async (_, answer, says) => {
  using under = testTerminal();
  const failure = tellDraining(withCoordinator(answer).config, true, under.terminal);
  await expect(failure).rejects.toThrow(Failed);
  await expect(failure).rejects.toThrow(says);
});

test('tellDraining() says that nobody answers', async () => {
  using under = testTerminal();
  const config = { coordinator: 'ws://127.0.0.1:9/agent', server_name: 'a', key: 'k' };
  await expect(tellDraining(config, false, under.terminal)).rejects.toThrow('cannot be reached');
});
