/**
 * `bun run chaos:agent`: 200 kills of agents at the eight crash points and 100 of apps and signalling servers, and after each
 * what runs must be what is wanted. Prints counts and times as JSON; exits 1 when a promise is not kept.
 */
import { chaos } from './chaos.ts';

const LONGEST_MS = 10_000;

const result = await chaos({ hosts: 4, agent_kills: 200, child_kills: 100 });
process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
const longest = Math.max(result.agent.max_ms, result.app.max_ms, result.signalling.max_ms);
process.exit(longest > LONGEST_MS ? 1 : 0);
