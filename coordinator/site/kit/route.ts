import { useEffect, useState } from 'preact/hooks';
import { codeFrom } from './code.ts';

/** The site's pages. An invite leads into its session. */
export type Route =
  | { page: 'catalogue'; code: string }
  | { page: 'session'; id: string }
  | { page: 'invite'; invite: string }
  | { page: 'reset'; secret: string }
  /** There is no such page; it looks like a part of an invite's or a session's address, or like none. */
  | { page: 'none'; like: 'invite' | 'session' | undefined };

export const routeOf = (url: URL): Route => {
  if (url.pathname === '/reset') return { page: 'reset', secret: url.hash.slice(1) };
  if (url.pathname === '/') return { page: 'catalogue', code: codeFrom(url.searchParams.get('code') ?? '') };
  const [, kind, id] = /^\/([si])\/([A-Za-z0-9_-]{1,64})\/?$/.exec(url.pathname) ?? [];
  if (id === undefined) {
    const [, part] = /^\/([si])(\/|$)/.exec(url.pathname) ?? [];
    return { page: 'none', like: part === 's' ? 'session' : part === 'i' ? 'invite' : undefined };
  }
  return kind === 's' ? { page: 'session', id } : { page: 'invite', invite: id };
};

export const sessionPath = (id: string): string => `/s/${id}`;
export const invitePath = (invite: string): string => `/i/${invite}`;

/** Goes to another page of the site without loading it anew. */
export const goTo = (path: string): void => {
  history.pushState(null, '', path);
  window.dispatchEvent(new PopStateEvent('popstate'));
};

/**
 * The page that the address bar names, following `goTo` and the browser's own buttons. `visit` counts: going to the same
 * address again is a new visit (joining a session from its own page, for one).
 */
export const useRoute = (): { route: Route; visit: number } => {
  const [{ href, visit }, setPlace] = useState({ href: location.href, visit: 0 });
  useEffect(() => {
    const follow = () => setPlace((last) => ({ href: location.href, visit: last.visit + 1 }));
    window.addEventListener('popstate', follow);
    return () => window.removeEventListener('popstate', follow);
  }, []);
  return { route: routeOf(new URL(href)), visit };
};
