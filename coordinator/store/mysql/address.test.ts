import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { systemClock } from '../../../shared/clock.ts';
import { systemIds } from '../../../shared/ids.ts';
import { silentLog } from '../../../shared/log.ts';
import { createAuthority, type TestAuthority } from '../../../shared/testing/certificates.ts';
import { type PrivateMariadb, startMariadb } from '../../../shared/testing/mariadb.ts';
import { Unusable } from '../database.ts';
import { migrateSchema } from '../migrate-command.ts';
import { parseDatabaseUrl } from './address.ts';
import { openMysqlDatabase } from './database.ts';

setDefaultTimeout(120_000);

const address = 'mysql://u:p%40ss@db.example:3307/vitrina';

describe('parseDatabaseUrl()', () => {
  test('parseDatabaseUrl() takes it apart, with limits that have defaults', () => {
    expect(parseDatabaseUrl(address)).toEqual({
      database: 'vitrina',
      driver: { user: 'u', password: 'p@ss', database: 'vitrina', host: 'db.example', port: 3307 },
      limits: {
        connections: 16,
        waiting: 2_000,
        connect_seconds: 3,
        transaction_seconds: 15,
        lock_seconds: 5,
      },
    });
    expect(parseDatabaseUrl('mariadb://u@[::1]/v?connections=4&lock_seconds=2')).toMatchObject({
      driver: { host: '::1', port: 3306 },
      limits: { connections: 4, lock_seconds: 2 },
    });
    expect(parseDatabaseUrl('mysql://u@localhost/v?socket=/run/s').driver).toEqual({
      user: 'u',
      password: '',
      database: 'v',
      socketPath: '/run/s',
    });
  });

  const wrong: [url: string, about: string][] = [
    ['postgres://u@h/v', 'no mysql:// URL'],
    ['mysql://u@h', 'names no database'],
    ['mysql://u:100%@h/v', '%25'],
    [`${address}?tls=on`, '"tls" that is "verify"'],
    [`${address}?tls=verify&tls=verify`, 'twice'],
    [`${address}?ca=/etc/ca.pem`, 'without tls=verify'],
    [`${address}?tls=verify&ca=/nowhere.pem`, '/nowhere.pem'],
    [`${address}?tls=verify&ca=${import.meta.path}`, 'no certificate'],
    [`${address}?tls=verify&socket=/run/s`, 'both socket and tls'],
    [`${address}?connections=0`, '"connections"'],
    [`${address}?lock_seconds=1.5`, '"lock_seconds"'],
    [`${address}?multipleStatements=true`, '"multipleStatements" that is not known'],
  ];
  for (const [url, about] of wrong) {
    test(`parseDatabaseUrl() refuses ${url}`, () => {
      const refuse = () => parseDatabaseUrl(url);
      expect(refuse).toThrow(Unusable);
      expect(refuse).toThrow(about);
      expect(refuse).not.toThrow('p@ss');
    });
  }
});

describe('?tls=verify', () => {
  let authority: TestAuthority;
  let other: TestAuthority;
  beforeAll(() => {
    [authority, other] = [createAuthority(), createAuthority()];
  });
  afterAll(() => {
    authority[Symbol.dispose]();
    other[Symbol.dispose]();
  });

  /** What a coordinator says to a server whose certificate has these names, reached as `host`. */
  const meet = async (server: PrivateMariadb, host: string, ca: string): Promise<string> => {
    const url = `mysql://tls@${host}:${server.port}/db?tls=verify&ca=${encodeURIComponent(ca)}`;
    const said: string[] = [];
    await migrateSchema('apply', url, (text) => void said.push(text));
    const opened = await openMysqlDatabase({ url, clock: systemClock, ids: systemIds, log: silentLog }).then(
      async (database) => {
        await database.read(({ apps }) => apps.find({}));
        await database.close();
        return 'opened';
      },
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    return `${said.at(-1)} / ${opened}`;
  };
  const serverWith = async (names: string): Promise<PrivateMariadb> => {
    const { cert, key } = authority.issue(names);
    const options = [`--ssl-cert=${cert}`, `--ssl-key=${key}`, `--ssl-ca=${authority.file}`];
    const server = await startMariadb({ networking: true, options });
    await server.createDatabase('db');
    await server.administer("CREATE USER tls@'127.0.0.1' REQUIRE SSL; GRANT ALL ON *.* TO tls@'127.0.0.1'");
    return server;
  };

  test('openMysqlDatabase() and migrateSchema() trust chain and name, of a host name and of an address', async () => {
    await using good = await serverWith('DNS:localhost,IP:127.0.0.1');
    for (const host of ['localhost', '127.0.0.1']) {
      expect(await meet(good, host, authority.file)).toMatch(/(Applied|up to date).* \/ opened$/);
    }
    expect(await meet(good, 'localhost', other.file)).toMatch(/certificate.* \/ .*certificate/i);
    await using foreign = await serverWith('DNS:other.example,IP:127.0.0.2');
    for (const host of ['localhost', '127.0.0.1']) {
      expect(await meet(foreign, host, authority.file)).toMatch(
        /(name|altname|IP).* \/ .*(name|altname|IP)/i,
      );
      expect(await meet(foreign, host, authority.file)).not.toContain('opened');
    }
  });
});
