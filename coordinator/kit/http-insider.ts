import { addressClass } from '../../shared/address-class.ts';
import type { Settings } from './data-directory.ts';
import type { Ctx } from './http-env.ts';
import { bearer, digest, matches } from './secrets.ts';

/**
 * What a program or browser sends of its own accord. Proxies, load balancers and content networks add headers of many names, and new
 * ones every year: whatever is none of these, an empty value included, may be one of theirs.
 */
const own_header =
  /^(?:host|user-agent|accept(?:-.+)?|authorization|connection|keep-alive|cookie|origin|referer|cache-control|pragma|content-.+|if-.+|range|sec-.+|dnt|priority|te|trailer|upgrade-insecure-requests|x-prometheus-scrape-timeout-seconds|x-request-id|traceparent|tracestate)$/;

/** Whether somebody stands between the caller and us, as far as its request tells. */
const throughProxy = (c: Ctx): boolean =>
  [...c.req.raw.headers.keys()].some((name) => !own_header.test(name));

/**
 * Whether the caller may see how the coordinator is inside. With `metrics_token_file` whoever has the token in it, otherwise
 * who asks on this machine itself and through no proxy.
 */
export const isInsider = (c: Ctx, store: Settings): boolean => {
  if (store.configuration().metrics_token_file === undefined) {
    return addressClass(c.env.socket) === 'loopback' && !throughProxy(c);
  }
  const [token, right] = [bearer(c.req.header('authorization')), store.secret('metrics')];
  return token !== undefined && right !== undefined && matches(token, digest(right));
};
