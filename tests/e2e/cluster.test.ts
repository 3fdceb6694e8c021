import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { Browser, Page } from 'playwright-core';
import type { Program } from '../../scripts/program.ts';
import type { DemoApp } from '../../scripts/system.ts';
import { type Balancer, startBalancer } from '../../shared/testing/balancer.ts';
import { freePorts } from '../../shared/testing/free-ports.ts';
import { startRedis, type TestRedis } from '../../shared/testing/redis.ts';
import { openPage, playing, startBrowser } from './browser.ts';
import { ask, type Deployment, startDeployment } from './deployment.ts';
import { until } from './harness.ts';
import { connections, resumed, survives, watch } from './stillness.ts';

/**
 * Two coordinators on one database and one Redis, behind balancers: visitors come to the first one as long as it lives, the host to
 * the second. A visitor starts at the one on the host of the other, and either of them is killed under a picture that plays.
 */
const app = 'Linden Garden';
const patience_ms = 900_000;
const times = 3;

interface Coordinator {
  readonly name: string;
  readonly data: string;
  readonly port: number;
  program: Program;
}

let deployment: Deployment;
let redis: TestRedis;
let browser: Browser;
let page: Page;
let database: string;
let visitors: Balancer;
let hosts: Balancer;
let coordinators: Coordinator[] = [];

const open = async (name: string): Promise<Coordinator> => {
  const redis_url = redis.url;
  const data = deployment.dataFolder(name, { coordinator_name: name, redis_url, host_lost_seconds: 60 });
  const port = await freePorts();
  return { name, data, port, program: (await deployment.serve(data, port, database)).program };
};

/** When the host connected there last; 0 for never. */
const connectedAt = ({ program }: Coordinator): number =>
  Math.max(
    0,
    ...program.lines
      .filter(({ msg }) => msg === 'host connected')
      .map(({ time }) => Date.parse(String(time))),
  );

/** The coordinator that has the host's link now. */
const holder = (): Coordinator => {
  const [last] = coordinators.toSorted((a, b) => connectedAt(b) - connectedAt(a));
  if (last === undefined) throw new Error('there are coordinators');
  return last;
};

/** Kills it at once, and starts it again when the others have had time to do without it. */
const killed = async (coordinator: Coordinator): Promise<void> => {
  coordinator.program.kill('SIGKILL');
  await coordinator.program.exited;
  const { data, port } = coordinator;
  coordinator.program = (await deployment.serve(data, port, database)).program;
};

/** An app and a host by an operator, and the host's agent with the key that was shown. */
const addHost = async (at: string, door: string): Promise<void> => {
  const [email, password] = ['anna@example.com', 'correct horse battery'];
  const create = ['admin', 'create', '--email', email, '--name', 'Anna'];
  await deployment.command(create, { DATABASE_URL: database }, `${password}\n`);
  const { body } = await ask(at, 'POST', '/api/v1/login', { email, password });
  const as = { token: body.access_token };
  const texts = { title: { en: app, ru: 'Липовый сад' }, description: { en: 'Bright family flats' } };
  const made = { name: app, ...texts, default_minutes: 60, max_minutes: 60 };
  expect((await ask(at, 'POST', '/api/v1/catalogue/apps', made, as)).status).toBe(201);
  const host = await ask(at, 'POST', '/api/v1/catalogue/hosts', { name: 'studio-1', apps: [app] }, as);
  expect(host.status).toBe(201);
  const flats: DemoApp = { rc_name: app, style: 'loft', flags: ['-DemoCounters'] };
  await deployment.agent('studio-1', host.body.key, door, 1, [flats]);
};

const address = ({ port }: { readonly port: number }): string => `http://127.0.0.1:${port}`;

beforeAll(async () => {
  [deployment, redis, browser] = await Promise.all([startDeployment(), startRedis(), startBrowser()]);
  database = await deployment.mariadb.createDatabase('vitrina');
  expect((await deployment.command(['migrate'], { DATABASE_URL: database })).exit).toBe(0);
  const [near, far] = [await open('near'), await open('far')];
  coordinators = [near, far];
  visitors = await startBalancer([near.port, far.port]);
  hosts = await startBalancer([far.port, near.port]);
  await addHost(address(near), address(hosts));
  const free = () => ask(address(near), 'GET', '/api/v1/apps');
  await until('the host is there', free, ({ body }) => body.apps[0]?.seats_free === 1);
  page = await openPage(browser, address(visitors), watch);
  await page.getByRole('button', { name: 'Start' }).first().click();
  await page.waitForURL(/\/s\//);
  await playing(page);
}, patience_ms);

afterAll(async () => {
  await browser?.close();
  await Promise.all([visitors?.stop(), hosts?.stop()]);
  await Promise.all(coordinators.map(({ program }) => program.stop()));
  await deployment?.stop();
  await redis?.[Symbol.asyncDispose]();
}, 300_000);

/** Leads the page to the coordinator that has not its session's host, and gives both. */
const apart = async () => {
  const having = holder();
  const other = coordinators.find((one) => one !== having) ?? having;
  visitors.route([other.port, having.port]);
  const former = await connections(page);
  visitors.reset();
  await resumed(page, former);
  return { having, other };
};

/** Stops it in good order, and starts it again. */
const stopped = async (coordinator: Coordinator): Promise<void> => {
  await coordinator.program.stop();
  const { data, port } = coordinator;
  coordinator.program = (await deployment.serve(data, port, database)).program;
};

/** Ends the coordinator, and waits until the page has found another way. */
const goneUnder = async (
  end: (one: Coordinator) => Promise<void>,
  coordinator: Coordinator,
): Promise<void> => {
  const former = await connections(page);
  await end(coordinator);
  await resumed(page, former);
};

test(
  "page's coordinator killed: the picture goes on through the other one, and input works",
  () => survives(page, async () => goneUnder(killed, (await apart()).other), times),
  patience_ms,
);

for (const [how, end] of Object.entries({ killed, stopped })) {
  test(
    `host's coordinator ${how}: the picture goes on through the other one, and input works`,
    () =>
      survives(
        page,
        async () => {
          const { having, other } = await apart();
          hosts.route([other.port, having.port]);
          await goneUnder(end, having);
        },
        times,
      ),
    patience_ms,
  );
}
