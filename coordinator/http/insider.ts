import { addressClass } from '../../shared/address-class.ts';
import { bearer, digest, matches } from '../secrets.ts';
import type { Store } from '../store/store.ts';
import type { Ctx } from './env.ts';

/** What proxies, load balancers and content networks add to a request that they hand on, an empty value included. */
const proxy_header =
  /^(?:x-forwarded(?:-.+)?|forwarded|via|(?:x-)?(?:real|client|cluster-client|original|envoy|proxyuser)(?:-.+)?|[a-z]+-(?:connecting|client)-ip|cf-.+|cdn-.+|x-azure-.+|x-amz(?:n)?-.+|x-appengine-.+|fly-.+|x-arr-.+)$/;

/** Whether somebody stands between the caller and us, as far as its request tells. */
const throughProxy = (c: Ctx): boolean =>
  [...c.req.raw.headers.keys()].some((name) => proxy_header.test(name));

/**
 * Whether the caller may see how the coordinator is inside. With `metrics_token_file` whoever has the token in it, otherwise
 * who asks on this machine itself and through no proxy.
 */
export const isInsider = (c: Ctx, store: Store): boolean => {
  if (store.configuration().metrics_token_file === undefined) {
    return addressClass(c.env.socket) === 'loopback' && !throughProxy(c);
  }
  const [token, right] = [bearer(c.req.header('authorization')), store.secret('metrics')];
  return token !== undefined && right !== undefined && matches(token, digest(right));
};
