import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An authority of this test alone. */
export interface TestAuthority extends Disposable {
  /** Its certificate, PEM. */
  readonly file: string;
  /** A certificate for these names (`DNS:localhost`, `IP:127.0.0.1`) and its key, as files; from and to as openssl writes times. */
  issue(names: string, days?: { from: string; to: string }): { cert: string; key: string };
}

/** Needs the openssl program. */
export const createAuthority = (): TestAuthority => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrina-certificates-'));
  let issued = 0;
  const openssl = (...args: string[]) => {
    const { exitCode, stderr } = Bun.spawnSync(['openssl', ...args], { cwd: folder, stderr: 'pipe' });
    if (exitCode !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
  };
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...curve,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '30',
    '-subj',
    '/O=Test authority',
  );
  writeFileSync(join(folder, 'index.txt'), '');
  writeFileSync(
    join(folder, 'ca.cnf'),
    `[ca]
default_ca = test
[test]
database = ${join(folder, 'index.txt')}
new_certs_dir = ${folder}
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
`,
  );
  return {
    file: join(folder, 'ca.pem'),
    issue(names, days) {
      issued += 1;
      const [key, cert, request, extensions] = ['key', 'pem', 'csr', 'ext'].map(
        (end) => `${issued}.${end}`,
      ) as [string, string, string, string];
      writeFileSync(join(folder, extensions), `subjectAltName=${names}\n`);
      openssl('req', ...curve, '-keyout', key, '-out', request, '-subj', '/CN=vitrina test');
      const dates = days === undefined ? ['-days', '90'] : ['-startdate', days.from, '-enddate', days.to];
      const signer = ['-config', 'ca.cnf', '-cert', 'ca.pem', '-keyfile', 'ca.key', '-extfile', extensions];
      openssl('ca', '-batch', '-notext', ...signer, ...dates, '-in', request, '-out', cert);
      return { cert: join(folder, cert), key: join(folder, key) };
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
};
