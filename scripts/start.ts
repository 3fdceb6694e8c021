import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { type DemoApp, fromSource, type Layout, startSystem } from './system.ts';

/**
 * `npm start`: a coordinator on the JSON store and two session agents with two demo apps, on this machine. Prints one
 * line with the URL when a visitor can start; Ctrl-C stops everything. Environment: VITRINA_PORT (default 8080).
 */
const port = Number(process.env.VITRINA_PORT ?? 8080);
if (!Number.isInteger(port) || port < 1 || port > 65_535) {
  process.stderr.write(
    `VITRINA_PORT is "${process.env.VITRINA_PORT}"; it must be a port number from 1 to 65535.\n`,
  );
  process.exit(1);
}

const apps: DemoApp[] = [
  {
    rc_name: 'Brick Yard',
    style: 'loft',
    info: {
      title: [{ en: 'Brick Yard' }, { ru: 'Кирпичный двор' }],
      description: [
        {
          en: 'Lofts in a former weaving mill: brick walls, oak floors and high windows. Walk through a two-room flat.',
        },
        {
          ru: 'Лофты в бывшей ткацкой фабрике: кирпич, дубовый пол, высокие окна. Пройдите по двухкомнатной квартире.',
        },
      ],
      picture: 'brick-yard.jpg',
    },
  },
  {
    rc_name: 'Linden Garden',
    style: 'garden',
    info: {
      title: [{ en: 'Linden Garden' }, { ru: 'Липовый сад' }],
      description: [
        {
          en: 'Bright family flats around a quiet garden. Look out of the windows and try the light in the evening.',
        },
        { ru: 'Светлые семейные квартиры вокруг тихого сада. Выгляните в окна и попробуйте вечерний свет.' },
      ],
      picture: 'linden-garden.jpg',
    },
  },
];

/** Asked before anything is written: a system that runs on this port lives from the files of its folder. */
const portIsFree = (): Promise<boolean> =>
  new Promise((done) => {
    const probe = createServer();
    probe.once('error', () => done(false));
    probe.listen({ port, exclusive: true }, () => probe.close(() => done(true)));
  });

const layout: Layout = {
  folder: resolve(import.meta.dir, '..', '.demo', String(port)),
  port,
  coordinator: fromSource(join('coordinator', 'main.ts')),
  agent: fromSource(join('session-agent', 'main.ts')),
  hosts: [
    { server_name: 'demo-host-1', seats: 1, ports: { from: 24_000, to: 24_099 }, apps },
    { server_name: 'demo-host-2', seats: 1, ports: { from: 24_100, to: 24_199 }, apps },
  ],
};

if (!(await portIsFree())) {
  const another = port < 65_535 ? port + 1 : 8080;
  process.stderr.write(
    `Port ${port} is taken, perhaps by another \`npm start\`. Stop that program, or choose another port: VITRINA_PORT=${another} npm start\n`,
  );
  process.exit(1);
}

let interrupted = false;
const interrupt = Promise.withResolvers<void>();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupted = true;
    interrupt.resolve();
  });
}

try {
  const system = await startSystem(layout);
  if (!interrupted) {
    process.stdout.write(`Vitrina is ready: http://localhost:${port} (Ctrl-C stops it)\n`);
    const programs = [system.coordinator, ...system.agents];
    await Promise.race([interrupt.promise, ...programs.map((program) => program.exited)]);
  }
  await system.stop();
  if (!interrupted)
    throw new Error(`A program ended by itself; its log is in ${join(layout.folder, 'logs')}`);
} catch (error) {
  process.stderr.write(
    `Vitrina did not start or stopped: ${error instanceof Error ? error.message : error}\n`,
  );
  process.exit(1);
}
