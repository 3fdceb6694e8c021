/** Versions of Unreal Engine as people write them: "4.27", "5.7". They compare as whole numbers: 427, 507. */
const FORM = /^([1-9]\d?)\.(0|[1-9]\d?)$/;

/** 427 for "4.27"; NaN for what has not the form of a version. */
export const engineNumber = (engine: string): number => {
  const [, major, minor] = FORM.exec(engine) ?? [];
  return Number(major) * 100 + Number(minor);
};

/** The first engine whose streamers can be served: the plugins before it close on the first message that they get. */
const first = 427;
const second = 500;
/** The newest that we have met. A newer one may want other things on its command line. */
const newest = 508;

/** Why that engine cannot be served, or undefined. */
export const engineProblem = (engine: string): string | undefined => {
  const number = engineNumber(engine);
  if (Number.isNaN(number)) return 'like "5.7"';
  if (number < first)
    return `must be 4.27 or newer: the Pixel Streaming of ${engine} speaks another protocol and cannot be served`;
  if (number > newest)
    return `must be 5.8 or older: ${engine} is not known here yet. If its Pixel Streaming is like that of 5.8, write 5.8`;
  return number > first && number < second ? 'is no engine: after 4.27 comes 5.0' : undefined;
};

/** Unreal 4.27 never offers: each page has to, and its offer makes the session. */
export const onlyAnswers = (engine: string): boolean => engineNumber(engine) === first;
