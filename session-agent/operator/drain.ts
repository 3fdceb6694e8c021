import { fetchVerified } from '../../shared/fetch-verified.ts';
import { drainedSchema } from '../../shared/protocol/agent-check.ts';
import type { Draining } from '../../shared/protocol/agent-link.ts';
import { problemSchema } from '../../shared/protocol/http.ts';
import type { AgentConfig } from '../config.ts';
import { wayTo } from '../doctor/way.ts';
import { Failed, type Surroundings, wordsOf } from './surroundings.ts';

const answer_ms = 15_000;

const refusal = (origin: string, status: number, body: unknown): Failed => {
  const problem = problemSchema.safeParse(body).data;
  if (problem?.code === 'agent_key_wrong')
    return new Failed(`${origin} has no such host with this key: enrol this host anew.`);
  if (status === 404 || status === 405)
    return new Failed(`${origin} cannot be told so by its hosts: update the coordinator.`);
  return new Failed(problem?.title ?? `${origin} answers with status ${status}: is it a coordinator?`);
};

/**
 * Tells the coordinator, with the host's key and whether its agent runs or not, that no new sessions are to start here, or that they may
 * again. What holds afterwards: the word of an operator of the coordinator stands above this one. Throws Failed.
 */
export const tellDraining = async (
  config: Pick<AgentConfig, 'coordinator' | 'ca_file' | 'server_name' | 'key'>,
  draining: boolean,
  { environment }: Pick<Surroundings, 'environment'>,
): Promise<Draining> => {
  const way = await wayTo(config, environment);
  if ('state' in way) throw new Failed(way.found);
  const url = new URL(`${way.url.href.replace(/^ws/, 'http')}/draining`);
  url.searchParams.set('server_name', config.server_name);
  let response: Response;
  try {
    response = await fetchVerified(url, {
      method: 'POST',
      headers: { Authorization: `Bearer ${config.key}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ draining }),
      redirect: 'error',
      signal: AbortSignal.timeout(answer_ms),
      ...(way.proxy === undefined ? {} : { proxy: way.proxy.href }),
      tls: way.ca === undefined ? {} : { ca: way.ca },
    });
  } catch (error) {
    throw new Failed(`${url.origin} cannot be reached: ${wordsOf(error)}. Nothing was changed.`);
  }
  const body: unknown = await response.json().catch(() => undefined);
  const drained = drainedSchema.safeParse(body).data;
  if (response.status === 200 && drained !== undefined) return drained.draining;
  throw refusal(url.origin, response.status, body);
};
