import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type DatabaseProcess,
  databasePrograms,
  newDatabaseProcess,
  runCommand,
} from './database-process.ts';
import { freePorts } from './free-ports.ts';

const nodes = 3;
/** Of each node: the group's, and those that a node which comes back is brought up to date on. */
const ports_per_node = 3;
const provider = '/usr/lib/galera/libgalera_smm.so';

/** State is transferred by rsync, which fails as root. */
const databaseUser = async () => {
  const child = Bun.spawn(['id', '-u', 'mysql'], { stdout: 'pipe' });
  return { name: 'mysql', uid: Number(await new Response(child.stdout).text()) };
};

/** Where the node listens for the others. */
const addresses = (first: number, node: number) => {
  const [group, state, files] = Array.from(
    { length: ports_per_node },
    (_, at) => `127.0.0.1:${first + node * ports_per_node + at}`,
  );
  return { group, state, files };
};

const nodeOptions = (first: number, node: number): string[] => {
  const { group, state, files } = addresses(first, node);
  const all = Array.from({ length: nodes }, (_, at) => addresses(first, at).group);
  return [
    '--skip-networking',
    '--binlog-format=ROW',
    '--innodb-autoinc-lock-mode=2',
    '--wsrep-on=ON',
    `--wsrep-provider=${provider}`,
    `--wsrep-provider-options=gmcast.listen_addr=tcp://${group};ist.recv_addr=${state};gcache.size=64M`,
    `--wsrep-cluster-address=gcomm://${all.join(',')}`,
    '--wsrep-cluster-name=vitrina-test',
    `--wsrep-node-name=node-${node}`,
    '--wsrep-node-address=127.0.0.1',
    '--wsrep-sst-method=rsync',
    `--wsrep-sst-receive-address=${files}`,
    // The last one has no writers, who would have to wait meanwhile.
    `--wsrep-sst-donor=node-${nodes - 1},`,
  ];
};

/**
 * Three nodes of a Galera cluster on this machine's MariaDB. The URL of a database leads to the first, `elsewhere` to the
 * second; `kill` kills the first.
 */
export const startGalera = async (folder: string, options: readonly string[]) => {
  const programs = await databasePrograms('mariadb');
  await runCommand(['sh', '-c', 'command -v rsync || apt-get install -y -q --no-install-recommends rsync']);
  await chmod(folder, 0o711);
  const user = await databaseUser();
  const first = await freePorts(nodes * ports_per_node);
  const started: DatabaseProcess[] = [];
  for (let node = 0; node < nodes; node++) {
    const server = await newDatabaseProcess(programs, {
      folder: join(folder, `${node}`),
      user,
      options: [...nodeOptions(first, node), ...options],
    });
    await server.start(node === 0 ? ['--wsrep-new-cluster'] : []);
    started.push(server);
  }
  const [one, two] = started;
  if (one === undefined || two === undefined) throw new Error('a cluster has several nodes');
  return {
    port: undefined,
    start: () => one.start(),
    kill: one.kill,
    administer: one.administer,
    elsewhere: (url: string) => two.url(new URL(url).pathname.slice(1)),
    async createDatabase(name: string) {
      await one.administer(`CREATE DATABASE \`${name}\``);
      return one.url(name);
    },
    async [Symbol.asyncDispose]() {
      for (const server of started) await server.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
