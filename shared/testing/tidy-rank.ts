import { isDevelopment, type Source, type Violation } from './source.ts';
import { eachImport, partOf, targetOf } from './tidy-imports.ts';

/** The nouns of the coordinator, the lowest first. What stands beside them (main, app, config) is above all. */
const ranks = [
  'store',
  'kit',
  'accounts',
  'catalogue',
  'seats',
  'bookings',
  'sessions',
  'relay',
  'records',
  'webhooks',
  'check',
  'erasure',
  'fleet',
  'http',
];

/** Folders of the coordinator without a rank: a program of its own, what is printed, what calls the rest, what never ships. */
const unranked = ['site', 'testing', 'deployment', 'command-line'];

/** Arrows that run upward still. The list only shrinks: one that no import needs is a violation, too. */
const upward: readonly string[] = [
  'coordinator/store/shapes.ts > coordinator/accounts/rows.ts',
  'coordinator/store/shapes.ts > coordinator/catalogue/rows.ts',
  'coordinator/store/shapes.ts > coordinator/seats/rows.ts',
];

const nounOf = (path: string): string | undefined => /^coordinator\/([^/]+)\//.exec(path)?.[1];

const isRanked = (path: string): boolean =>
  partOf(path) === 'coordinator' && !unranked.includes(nounOf(path) ?? '') && !isDevelopment(path);

const rankOf = (path: string): number => {
  const noun = nounOf(path);
  return noun === undefined ? ranks.length : ranks.indexOf(noun);
};

/** Within the coordinator a file imports its own noun and lower ones: everybody sees at once who may know whom. */
export const checkRank = (sources: readonly Source[]): Violation[] => {
  const ranked = sources.filter(({ path }) => isRanked(path));
  const used = new Set<string>();
  const arrows = eachImport(ranked, (path, specifier) => {
    const target = targetOf(path, specifier);
    if (!specifier.startsWith('.') || !isRanked(target) || rankOf(target) <= rankOf(path)) return undefined;
    const arrow = `${path} > ${target}`;
    used.add(arrow);
    return upward.includes(arrow) ? undefined : `${target} stands higher`;
  });
  const homeless = ranked
    .filter(({ path }) => rankOf(path) < 0)
    .map(({ path }) => ({ path, line: 1, text: `${nounOf(path)}/ has no rank (tidy-rank.ts)` }));
  const needless = ranked.flatMap(({ path }) =>
    upward
      .filter((arrow) => arrow.startsWith(`${path} > `) && !used.has(arrow))
      .map((arrow) => ({ path, line: 1, text: `no import needs the exception "${arrow}"` })),
  );
  return [...arrows, ...homeless, ...needless];
};

/** Places of the site, where a visitor is. None knows another; each knows `kit`, and what stands beside them knows all. */
const places = ['catalogue', 'room', 'account'];

const placeOf = (path: string): string | undefined => /^coordinator\/site\/([^/]+)\//.exec(path)?.[1];

/** Within the site a place imports itself and the kit, and the kit only itself. */
export const checkPlaces = (sources: readonly Source[]): Violation[] => {
  const site = sources.filter(({ path }) => path.startsWith('coordinator/site/') && !isDevelopment(path));
  const homeless = site
    .filter(({ path }) => ![...places, 'kit', undefined].includes(placeOf(path)))
    .map(({ path }) => ({ path, line: 1, text: `${placeOf(path)}/ is no place of the site (tidy-rank.ts)` }));
  const arrows = eachImport(site, (path, specifier) => {
    const [from, target] = [placeOf(path), targetOf(path, specifier)];
    if (!specifier.startsWith('.') || !target.startsWith('coordinator/site/') || from === undefined)
      return undefined;
    return [from, 'kit'].includes(placeOf(target) ?? '') ? undefined : `${from} may not know ${target}`;
  });
  return [...homeless, ...arrows];
};
