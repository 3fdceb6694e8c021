import type { Catalogue } from './catalogue.ts';
import type { Configuration } from './configuration-file.ts';
import type { Pictures } from './pictures.ts';

/** What the coordinator keeps outside its memory. Stage one reads it from JSON files; a database will implement it too. */
export interface Store {
  /** The catalogue in force now. A caller that needs several facts to agree takes it once. */
  catalogue(): Catalogue;
  configuration(): Configuration;
  /** Calls `listener` after a change of either. The function returned stops that. */
  onChange(listener: () => void): () => void;
  /** The picture of an app, or undefined when it has none. */
  picture(app: string): Promise<Blob | undefined>;
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
