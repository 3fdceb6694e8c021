import { type Refusal, refuse } from '../../shared/errors.ts';
import type { AgentCheck } from '../../shared/protocol/agent-check.ts';
import { AGENT_LINK_OLDEST, AGENT_LINK_VERSION } from '../../shared/protocol/agent-link.ts';
import { isConnected } from '../seats/rules-hosts.ts';
import { hostIce } from '../sessions/ice.ts';
import type { World } from '../sessions/live.ts';
import { drainingOf } from './drain.ts';
import { keyIsRight } from './fleet.ts';

/** What a host's doctor wants to know; agent_key_wrong. Changes nothing and leaves the host's link alone. */
export const hostCheck = (world: World, name: string, key: string, version: string): AgentCheck | Refusal => {
  if (!keyIsRight(world, name, key)) return refuse('agent_key_wrong');
  const host = world.hosts.get(name);
  const row = world.catalogue.now().hosts.get(name);
  return {
    version,
    protocols: { oldest: AGENT_LINK_OLDEST, newest: AGENT_LINK_VERSION },
    time: world.clock.now(),
    ice_servers: hostIce(world, name),
    connected: host !== undefined && isConnected(host),
    draining: row?.draining === true,
    drained_by: row === undefined ? null : drainingOf(row).by,
  };
};
