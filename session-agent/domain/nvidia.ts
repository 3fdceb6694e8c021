import type { HostFigures } from '../../shared/protocol/agent-link.ts';

type CardFigures = HostFigures['cards'][number];

/** What nvidia-smi is asked for, in the order in which `readCards` expects it. */
const fields = [
  'index',
  'name',
  'utilization.gpu',
  'memory.used',
  'memory.total',
  'temperature.gpu',
] as const;
/** Drivers before 2023 do not know it and then answer nothing at all. */
const encoder_field = 'utilization.encoder';

/** The arguments by which nvidia-smi tells of all cards, a line each. */
export const smiArguments = (with_encoder: boolean): string[] => [
  `--query-gpu=${[...fields, ...(with_encoder ? [encoder_field] : [])].join(',')}`,
  '--format=csv,noheader,nounits',
];

/** Whether the answer says that this driver cannot tell of encoders. */
export const lacksEncoder = (answer: string): boolean =>
  answer.includes(encoder_field) && /not a valid field/i.test(answer);

/** "[N/A]", "[Not Supported]" and the like are no numbers. */
const numberOf = (text: string | undefined, low: number, high: number): number | null => {
  const value = text === undefined || text === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : null;
};

const megabytes = (text: string | undefined): number | null => {
  const value = numberOf(text, 0, 100_000_000);
  return value === null ? null : Math.round(value);
};

const cards_most = 64;

/** What nvidia-smi has answered to `smiArguments`. Lines that are about no card are passed over. */
export const readCards = (answer: string): CardFigures[] =>
  answer
    .split('\n')
    .map((line) => line.split(',').map((part) => part.trim()))
    .flatMap(([index, name = '', busy, used, total, temperature, encoder]): CardFigures[] => {
      if (index === undefined || !/^\d{1,2}$/.test(index) || Number(index) >= cards_most) return [];
      return [
        {
          index: Number(index),
          name: name.slice(0, 100),
          busy_percent: numberOf(busy, 0, 100),
          encoder_percent: numberOf(encoder, 0, 100),
          vram_used_mb: megabytes(used),
          vram_total_mb: megabytes(total),
          temperature_c: numberOf(temperature, -100, 200),
        },
      ];
    })
    .slice(0, cards_most);
