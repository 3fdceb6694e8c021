import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { join } from 'node:path';
import { freePorts } from '../../shared/testing/free-ports.ts';
import { sampleDeployment } from '../testing/deployment.ts';
import { temporaryFolder } from '../testing/folder.ts';
import { caddyfile } from './caddy.ts';
import type { Deployment } from './deployment.ts';
import { haproxy } from './haproxy.ts';
import { nginxSite } from './nginx.ts';

setDefaultTimeout(60_000);

/** The part of the text from `first` on, up to and with the first line that is `last`. */
const cut = (text: string, first: string, last?: string): string => {
  const from = text.indexOf(first);
  return text.slice(from, last === undefined ? undefined : text.indexOf(last, from) + last.length);
};

/** The printed part of each program that says where coordinators are, behind a plain port; in a folder of its own. */
const proxies: Record<string, (made: Deployment, port: number, folder: string) => [string, string[]]> = {
  [nginxSite.name]: (made, port, folder) => [
    `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; events {}
http {
  ${cut(nginxSite(made), 'upstream vitrina {', '\n}\n')}
  access_log off;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://vitrina; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}`,
    ['nginx', '-p', folder, '-e', `${folder}/error.log`, '-c', `${folder}/conf`],
  ],
  [haproxy.name]: (made, port, folder) => [
    `defaults
  mode http
  timeout connect 5s
  timeout client 10s
  timeout server 10s
frontend plain
  bind 127.0.0.1:${port}
  default_backend vitrina_coordinator
${cut(haproxy(made), '\nbackend vitrina_coordinator')}`,
    ['haproxy', '-db', '-f', `${folder}/conf`],
  ],
  [caddyfile.name]: (made, port, folder) => [
    `{\n\tadmin off\n\tauto_https off\n\tstorage file_system ${folder}\n}\nhttp://127.0.0.1:${port} {\n${cut(caddyfile(made), '\treverse_proxy')}`,
    ['caddy', 'run', '--adapter', 'caddyfile', '--config', `${folder}/conf`],
  ],
};

/** Stands for a coordinator: says its own name. */
const standIn = (name: string) =>
  Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response(name) });

for (const [name, configure] of Object.entries(proxies)) {
  describe(`${name}()`, () => {
    test(`${name}() spreads visitors over several coordinators, and passes over one that is gone`, async () => {
      await using folder = await temporaryFolder();
      const [one, two] = [standIn('one'), standIn('two')];
      const upstreams = [one, two].map((server) => `127.0.0.1:${server.port}`);
      const port = await freePorts();
      const [text, command] = configure({ ...sampleDeployment, upstreams }, port, folder.path);
      await folder.write('conf', text);
      const proxy = Bun.spawn(command, {
        stdout: 'ignore',
        stderr: 'pipe',
        env: { ...process.env, HOME: join(folder.path, 'home') },
      });
      const ask = async (method: string): Promise<string> => {
        const response = await fetch(`http://127.0.0.1:${port}/`, { method });
        return response.ok ? response.text() : `${response.status}`;
      };
      const ready = async (): Promise<string> =>
        ask('GET').catch(() => {
          if (proxy.exitCode !== null) throw new Error('the proxy has ended');
          return ready();
        });
      const answers = async () => {
        const found = new Set<string>();
        for (let asked = 0; asked < 40; asked++) found.add(await ask(asked % 2 === 0 ? 'GET' : 'POST'));
        return [...found].sort();
      };
      try {
        await ready();
        expect(await answers()).toEqual(['one', 'two']);
        await one.stop(true);
        expect(await answers()).toEqual(['two']);
      } finally {
        proxy.kill('SIGKILL');
        await proxy.exited;
        await two.stop(true);
      }
    });
  });
}
