import { Hono } from 'hono';
import { refuse } from '../../shared/errors.ts';
import type { Settings } from '../kit/data-directory.ts';
import { socketBase } from '../kit/http-addresses.ts';
import type { Ctx, Env } from '../kit/http-env.ts';
import { answerFixed, type Fixed, fixed } from '../kit/http-fixed.ts';
import { problem } from '../kit/http-problems.ts';
import type { Configuration } from '../kit/settings.ts';

/** The built site: its one page, and by path what the page loads. The names of those hold a hash of their content. */
export interface Site {
  readonly page: Fixed;
  readonly assets: ReadonlyMap<string, Fixed>;
}

/** What an HTML import gives: in a compiled program the files built into it, from source only the page's name. */
interface Bundle {
  readonly index: string;
  readonly files?: readonly {
    readonly path: string;
    readonly headers: { readonly 'content-type': string };
  }[];
}

interface Output {
  readonly path: string;
  readonly type: string;
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
}

const builtIn = (files: NonNullable<Bundle['files']>): Output[] =>
  files.map(({ path, headers }) => ({
    path,
    type: headers['content-type'],
    bytes: () => Bun.file(path).bytes(),
  }));

const buildNow = async (index: string): Promise<Output[]> => {
  const { outputs } = await Bun.build({
    entrypoints: [index],
    naming: '[name]-[hash].[ext]',
    publicPath: '/',
    minify: { whitespace: true, syntax: true },
    define: { 'process.env.NODE_ENV': '"production"' },
  });
  return outputs.map((output) => ({
    path: output.path,
    type: output.type,
    bytes: async () => new Uint8Array(await output.arrayBuffer()),
  }));
};

/** The site of an HTML import, read into memory. Rejects when it cannot be built. */
export const loadSite = async ({ index, files }: Bundle): Promise<Site> => {
  const outputs = files === undefined ? await buildNow(index) : builtIn(files);
  const assets = new Map<string, Fixed>();
  let page: Fixed | undefined;
  for (const { path, type, bytes } of outputs) {
    const file = fixed(await bytes(), type);
    if (path.endsWith('.html')) page = file;
    else assets.set(`/${path.slice(path.lastIndexOf('/') + 1)}`, file);
  }
  if (page === undefined) throw new Error(`the site has no page: ${index}`);
  return { page, assets };
};

/** What a page of ours may do: use what this server gives it, and talk to this server. */
export const pagePolicy = (c: Ctx, configuration: Configuration): Record<string, string> => {
  const { host } = socketBase(c, configuration);
  return {
    'Content-Security-Policy': [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data: blob:",
      "media-src 'self' blob: mediastream:",
      `connect-src 'self' ws://${host} wss://${host}`,
      "font-src 'self'",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
    ].join('; '),
    'Permissions-Policy':
      'camera=(self), microphone=(self), geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=()',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cache-Control': 'no-cache',
  };
};

/** What site/kit/route.ts knows as pages. */
const id = '{[A-Za-z0-9_-]{1,64}}';
const addresses = [
  '/',
  '/reset',
  ...['s', 'i'].flatMap((kind) => [`/${kind}/:id${id}`, `/${kind}/:id${id}/`]),
];

/** Where programs ask, who are answered in problems. */
const forPrograms = /^\/(api|ws|agent|peers|healthz|readyz|metrics|docs)(\/|$)/;

/** The answer to an address that leads nowhere: the site's page says so to people, a problem to programs. */
export const nothingHere = (site: Site | undefined, store: Settings) => (c: Ctx) => {
  const told = problem(refuse('not_found'));
  const reads = ['GET', 'HEAD'].includes(c.req.method);
  if (site === undefined || !reads || forPrograms.test(c.req.path)) return told;
  const headers = new Headers(told.headers);
  const page = { ...pagePolicy(c, store.configuration()), 'Content-Type': site.page.type };
  for (const [name, value] of Object.entries(page)) headers.set(name, value);
  return new Response(site.page.bytes, { status: told.status, headers });
};

/** The site: one page at every address of it. Nothing of a request's path reaches a file system. */
export const siteRoutes = ({ page, assets }: Site, store: Settings): Hono<Env> => {
  const routes = new Hono<Env>();
  routes.on('GET', addresses, (c) => answerFixed(c, page, pagePolicy(c, store.configuration())));
  for (const [path, asset] of assets) {
    const headers = { 'Cache-Control': 'public, max-age=31536000, immutable' };
    routes.get(path, (c) => answerFixed(c, asset, headers));
  }
  return routes;
};
