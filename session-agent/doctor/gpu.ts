import type { Clock } from '../../shared/clock.ts';
import { counted } from '../../shared/counted.ts';
import { cardsOf } from '../cards.ts';
import type { AgentConfig } from '../config.ts';
import { ask } from '../processes/question.ts';
import { fail, type Line, ok, warn } from './line.ts';

const ANSWER_MS = 8_000;
const fields = 'index,name,driver_version,memory.total';

interface Card {
  index: number;
  name: string;
  driver: string;
  vram_mb: number;
}

/** Lines like "0, NVIDIA RTX A5000, 550.54.14, 24564"; others are left out. */
export const installedCards = (text: string): Card[] =>
  text.split('\n').flatMap((line) => {
    const [index = '', name = '', driver = '', vram = ''] = line.split(',').map((part) => part.trim());
    return /^\d+$/.test(index) ? [{ index: Number(index), name, driver, vram_mb: Number(vram) || 0 }] : [];
  });

/** How many streams a consumer card's driver encodes at once, on all cards together; undefined where there is no such bound. */
const encoderBound = ({ name, driver }: Card): number | undefined => {
  if (!/GeForce|TITAN/i.test(name)) return undefined;
  const major = Number.parseInt(driver, 10);
  if (major >= 551) return 8;
  return major >= 531 ? 5 : 3;
};

/** What config.json wants of the cards that are there. */
export const cardsLine = (
  config: Pick<AgentConfig, 'cards' | 'seats' | 'apps'>,
  cards: readonly Card[],
): Line => {
  const found = cards
    .map(({ index, name, driver, vram_mb }) => `${index}: ${name}, driver ${driver}, ${vram_mb} MB`)
    .join('; ');
  const missing = config.cards.filter(({ index }) => !cards.some((card) => card.index === index));
  if (missing.length > 0) {
    const advice = 'Correct "cards" in config.json: the numbers are those of nvidia-smi.';
    return fail('GPU', `${found}; there is no card ${missing.map(({ index }) => index).join(', ')}`, advice);
  }
  const short = config.cards.find(
    ({ index, vram_mb = 0 }) => vram_mb > (cards.find((card) => card.index === index)?.vram_mb ?? 0),
  );
  if (short !== undefined) {
    return warn(
      'GPU',
      `${found}; config.json gives apps ${short.vram_mb} MB of card ${short.index}`,
      'Lower its vram_mb.',
    );
  }
  const bound = cards.map(encoderBound).find((one) => one !== undefined);
  const most = Math.max(...config.apps.map(({ encoders }) => encoders), 1);
  const wanted = cardsOf(config).reduce(
    (sum, { seats, encoders }) => sum + Math.min(seats * most, encoders ?? Number.POSITIVE_INFINITY),
    0,
  );
  if (bound !== undefined && wanted > bound) {
    return warn(
      'GPU',
      `${found}; all seats together may want ${counted(wanted, 'encoder session')}, and this driver gives ${bound} or somewhat more on consumer cards`,
      'Lower seats, or "encoders" of the cards.',
    );
  }
  return ok('GPU', found);
};

const askDriver = async (clock: Clock, environment: Record<string, string>): Promise<string | undefined> => {
  const query = [`--query-gpu=${fields}`, '--format=csv,noheader,nounits'];
  try {
    const said = await ask(['nvidia-smi', ...query], environment, ANSWER_MS, clock).answer;
    return 'ok' in said && said.ok ? said.text : undefined;
  } catch {
    // It is not there.
    return undefined;
  }
};

/** The graphics cards and their driver, as nvidia-smi tells. */
export const checkGpu = async (
  clock: Clock,
  config: AgentConfig,
  environment: Record<string, string>,
): Promise<Line> => {
  const text = await askDriver(clock, environment);
  const cards = installedCards(text ?? '');
  if (cards.length > 0) return cardsLine(config, cards);
  return warn(
    'GPU',
    text === undefined ? 'nvidia-smi is not there or does not answer' : 'nvidia-smi knows no card',
    "Install NVIDIA's driver (on Debian nvidia-driver, on Windows from nvidia.com) and restart. Cards of others are not looked at.",
  );
};
