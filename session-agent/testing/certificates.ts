import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An authority of a test's own, and a server's certificate that it has signed. */
export interface Certificates {
  /** PEM files of the authority, and of another one that has signed nothing. */
  authority_file: string;
  stranger_file: string;
  key: string;
  cert: string;
  remove(): void;
}

const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Made by openssl for the names given: "DNS:coordinator.test". */
export const makeCertificates = async (...names: string[]): Promise<Certificates> => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrina-ca-'));
  const openssl = async (...args: string[]) => {
    const child = Bun.spawn(['openssl', ...args], { cwd: folder, stdout: 'ignore', stderr: 'pipe' });
    const said = await new Response(child.stderr).text();
    if ((await child.exited) !== 0) throw new Error(said);
  };
  const authority = (name: string) =>
    openssl(
      'req',
      '-x509',
      ...curve,
      '-days',
      '2',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
      '-subj',
      `/CN=${name}`,
    );
  await authority('authority');
  await authority('stranger');
  await openssl('req', ...curve, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=server');
  writeFileSync(join(folder, 'names'), `subjectAltName=${names.join(',')}\n`);
  const signed = ['-CA', 'authority.pem', '-CAkey', 'authority.key', '-CAcreateserial'];
  await openssl(
    'x509',
    '-req',
    '-in',
    'server.csr',
    ...signed,
    '-days',
    '2',
    '-out',
    'server.pem',
    '-extfile',
    'names',
  );
  return {
    authority_file: join(folder, 'authority.pem'),
    stranger_file: join(folder, 'stranger.pem'),
    key: readFileSync(join(folder, 'server.key'), 'utf8'),
    cert: readFileSync(join(folder, 'server.pem'), 'utf8'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
};
