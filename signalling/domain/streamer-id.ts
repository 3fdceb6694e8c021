/** The id of a streamer that has not said who it is, or said nothing. */
export const unknown_streamer_id = 'UnknownStreamer';

/** Longer ids are cut. */
const streamer_id_characters = 100;

/**
 * Text that Epic's page may put into its overlay: the page assigns it as HTML, so angle brackets and control characters
 * become underscores.
 */
export const harmless = (text: string): string => text.replace(/[<>\p{Cc}\p{Cf}\p{Cs}]/gu, '_');

/** `Foo12` is `Foo` and 12. More than nine digits are no counter but part of the name. */
const split = (id: string): { base: string; number: number } => {
  const digits = /\d{1,9}$/.exec(id)?.[0] ?? '';
  return { base: id.slice(0, id.length - digits.length), number: Number(digits) };
};

/** The id as it may be used: cut, harmless, and never empty. */
export const cleanId = (wanted: string): string =>
  harmless(wanted).slice(0, streamer_id_characters) || unknown_streamer_id;

/**
 * The id that a streamer gets. What it wants, if no other streamer has it; otherwise the same name with a number one
 * above the highest in use: `Foo`, `Foo1`, `Foo2`. `taken` holds the ids of the *other* streamers, so that one that
 * repeats its own id keeps it.
 */
export const commitId = (wanted: string, taken: ReadonlySet<string>): string => {
  const want = cleanId(wanted);
  if (!taken.has(want)) return want;
  const { base } = split(want);
  const used = [...taken].map(split).filter((other) => other.base === base);
  return `${base}${Math.max(...used.map((other) => other.number)) + 1}`;
};
