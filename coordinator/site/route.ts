import { useEffect, useState } from 'preact/hooks';
import { codeFrom } from './code.ts';

/** The site's two pages. */
export type Route = { page: 'catalogue'; code: string } | { page: 'session'; id: string };

export const routeOf = (url: URL): Route => {
  const id = /^\/s\/([A-Za-z0-9_-]{1,64})\/?$/.exec(url.pathname)?.[1];
  return id === undefined
    ? { page: 'catalogue', code: codeFrom(url.searchParams.get('code') ?? '') }
    : { page: 'session', id };
};

export const sessionPath = (id: string): string => `/s/${id}`;

/** Goes to another page of the site without loading it anew. */
export const goTo = (path: string): void => {
  history.pushState(null, '', path);
  window.dispatchEvent(new PopStateEvent('popstate'));
};

/** The page that the address bar names, following `goTo` and the browser's own buttons. */
export const useRoute = (): Route => {
  const [href, setHref] = useState(location.href);
  useEffect(() => {
    const follow = () => setHref(location.href);
    window.addEventListener('popstate', follow);
    return () => window.removeEventListener('popstate', follow);
  }, []);
  return routeOf(new URL(href));
};
