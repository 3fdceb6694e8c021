import { en, type Texts } from './texts-en.ts';
import { ru } from './texts-ru.ts';

export type { Texts };

export const texts = { en, ru } satisfies Record<string, Texts>;
