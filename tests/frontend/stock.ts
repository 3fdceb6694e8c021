interface Options {
  useUrlParams: boolean;
  initialSettings: Record<string, boolean>;
}

/** A page of some version of Epic's library with that version's own defaults, told only to begin by itself. */
export const startStock = <C>(
  Config: new (options: Options) => C,
  Library: new (config: C, options: { videoElementParent: HTMLElement }) => object,
): void => {
  const initialSettings = { AutoConnect: true, AutoPlayVideo: true, StartVideoMuted: true };
  const config = new Config({ useUrlParams: true, initialSettings });
  Object.assign(window, { stream: new Library(config, { videoElementParent: document.body }) });
};
