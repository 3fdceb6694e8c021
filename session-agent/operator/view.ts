import { counted } from '../../shared/counted.ts';
import type { AgentStatus } from '../status.ts';

/** "3 s", "12 min", "2 h 5 min", "4 days" */
export const age = (ms: number): string => {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return counted(Math.floor(hours / 24), 'day');
};

const linkWords: Record<AgentStatus['link']['state'], string> = {
  connected: 'connected',
  dialling: 'dialling',
  waiting: 'NOT CONNECTED',
  stopped: 'stopped',
};

const share = (used: number | null, total: number | null): string => {
  if (used === null) return total === null ? 'unknown' : `unknown of ${Math.round(total)} MB`;
  return `${Math.round(used)}${total === null ? '' : ` of ${Math.round(total)}`} MB`;
};

const percent = (value: number | null): string => (value === null ? 'unknown' : `${Math.round(value)} %`);

const figureLines = ({ figures }: AgentStatus): string[] =>
  figures === null
    ? ['figures      not measured yet']
    : [
        `machine      CPU ${percent(figures.cpu_percent)}, memory ${share(figures.memory_used_mb, figures.memory_total_mb)}`,
        ...figures.cards.map(
          (card) =>
            `card ${card.index}       ${card.name}: busy ${percent(card.busy_percent)}, encoder ${percent(card.encoder_percent)}, ` +
            `${share(card.vram_used_mb, card.vram_total_mb)}${card.temperature_c === null ? '' : `, ${Math.round(card.temperature_c)} °C`}`,
        ),
      ];

/** Nothing of a host that takes sessions. */
const drainLines = ({ draining }: AgentStatus): string[] => {
  if (!draining) return [];
  const { by, cards } = draining;
  if (by === 'host') return ['draining     takes no new sessions: session-agent undrain lifts that'];
  if (by !== null) return ['draining     takes no new sessions: an operator of the coordinator has said so'];
  return cards.length === 0
    ? []
    : [`draining     card ${cards.join(', ')}: an operator of the coordinator has said so`];
};

const instanceLine = (one: AgentStatus['instances'][number], now: number): string =>
  `  ${one.rc_name}: ${one.phase}, card ${one.card}, ${one.since === 0 ? '' : `for ${age(now - one.since)}, `}` +
  `${one.session_id === undefined ? 'no session' : `session ${one.session_id}`}` +
  `${one.restarts === 0 ? '' : `, restarted ${counted(one.restarts, 'time')}`}`;

const warmLine = (one: AgentStatus['warm'][number], now: number): string =>
  `  ${one.rc_name}: ${one.ready} of ${one.wanted} kept warm` +
  `${one.starting === 0 ? '' : `, ${one.starting} starting`}` +
  `${one.failures === undefined ? '' : `, failed ${counted(one.failures, 'time')}: ${one.last_error ?? 'unknown'}`}` +
  `${one.next_try_at === undefined ? '' : `, next try in ${age(one.next_try_at - now)}`}`;

/** A control character in a text of others could steer the terminal. */
const plain = (line: string): string => line.replace(/[^\P{Cc}]/gu, '?');

/** What `status` prints and `monit` shows, as lines without colour. `now` is epoch ms. */
export const statusLines = (status: AgentStatus, now: number): string[] => {
  const { link, instances, apps, config, errors } = status;
  const taken = instances.filter(({ session_id }) => session_id !== undefined);
  return [
    `host         ${status.server_name}, agent ${status.version}, process ${status.pid}, up ${age(now - status.started_at)}` +
      `${status.service === null ? '' : `, kept by ${status.service}`}`,
    `coordinator  ${status.coordinator}`,
    `link         ${linkWords[link.state]} for ${age(now - link.since)}`,
    ...(link.detail === undefined ? [] : [`             ${link.detail}`]),
    `seats        ${taken.length} of ${status.seats} taken`,
    ...drainLines(status),
    ...instances.map((one) => instanceLine(one, now)),
    ...status.warm.map((one) => warmLine(one, now)),
    ...figureLines(status),
    `apps         ${apps.length === 0 ? 'none yet: session-agent apps add NAME PATH' : apps.map(({ rc_name }) => rc_name).join(', ')}`,
    ...apps.flatMap(({ rc_name, problem }) =>
      problem === undefined ? [] : [`  ${rc_name} cannot be launched: ${problem}`],
    ),
    `config       ${config.file}`,
    ...config.problems.map((problem) => `  ${problem}`),
    ...(errors.length === 0 ? ['last errors  none'] : ['last errors']),
    ...errors.map(
      ({ at, level, text, times }) => `  ${at} ${level} ${text}${times === 1 ? '' : `, ${times} times`}`,
    ),
  ].map(plain);
};

/** Whether all that `status` looks at is well: the link, the file, the apps. */
export const isWell = ({ link, config, apps }: AgentStatus): boolean =>
  link.state === 'connected' &&
  config.problems.length === 0 &&
  apps.every(({ problem }) => problem === undefined);

const footer = 'q or Ctrl-C leaves';

/** A screenful for a terminal of that size: lines are cut at the right, the least important are left out at the bottom. */
export const screen = (lines: readonly string[], columns: number, rows: number): string[] => {
  const room = Math.max(1, rows - 1);
  const shown =
    lines.length <= room
      ? [...lines, ...Array.from({ length: room - lines.length }, () => '')]
      : [...lines.slice(0, room - 1), `... ${counted(lines.length - room + 1, 'more line')}`];
  return [...shown, footer].slice(0, Math.max(1, rows)).map((line) => [...line].slice(0, columns).join(''));
};
