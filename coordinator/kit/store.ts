import type { FileCatalogue } from '../catalogue/file-catalogue.ts';
import type { Pictures } from '../catalogue/pictures.ts';
import type { SecretName } from './secret-files.ts';
import type { Configuration } from './settings.ts';

/** What people write into the data directory: servers.json, configuration.json, pictures. */
export interface Store {
  /** What servers.json says now. */
  catalogue(): FileCatalogue;
  configuration(): Configuration;
  /** The content of a file that the configuration names; undefined when it names none. */
  secret(name: SecretName): string | undefined;
  /** Calls `listener` after a change of either. The function returned stops that. */
  onChange(listener: () => void): () => void;
  /** A picture by its file name, or undefined when it is not there. */
  picture(name: string): Promise<Blob | undefined>;
  /** Pictures that are uploaded. */
  readonly pictures: Pictures;
  /** Whether the store can be read now, and a note for the operator when something is wrong with it. */
  health(): { readonly ok: boolean; readonly note?: string };
  /** Looks at what is due. */
  tick(): void;
  /** Takes what stands in the store now into force, without waiting for the interval. Never rejects. */
  refresh(): Promise<void>;
  close(): void;
}
