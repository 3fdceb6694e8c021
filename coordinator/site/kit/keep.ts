/** Web storage throws where a browser forbids it; the page then remembers until it is closed. */
const inMemory = new Map<string, string>();

const storageOf = (kind: 'session' | 'local'): Storage | undefined => {
  try {
    return kind === 'session' ? window.sessionStorage : window.localStorage;
  } catch {
    return undefined;
  }
};

export const recall = (kind: 'session' | 'local', key: string): string | undefined =>
  storageOf(kind)?.getItem(key) ?? inMemory.get(key);

export const keep = (kind: 'session' | 'local', key: string, value: string): void => {
  inMemory.set(key, value);
  try {
    storageOf(kind)?.setItem(key, value);
  } catch {
    // Full or forbidden: the copy in memory serves until the tab is closed.
  }
};

export const forget = (kind: 'session' | 'local', key: string): void => {
  inMemory.delete(key);
  storageOf(kind)?.removeItem(key);
};
