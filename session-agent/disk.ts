/** Whether the disk, or the account's part of it, takes nothing more: it may again later. */
export const isDiskFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');

/** What to say when that file cannot be written. */
export const unwritten = (file: string, error: unknown): string => {
  const words = error instanceof Error ? error.message : String(error);
  return `${isDiskFull(error) ? 'the disk is full: ' : ''}${file} cannot be written (${words})`;
};
