import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { type Texts, texts } from './texts.ts';

export type Language = keyof typeof texts;

const isLanguage = (value: unknown): value is Language =>
  typeof value === 'string' && Object.hasOwn(texts, value);

/** The visitor's own choice when there is one, else the first preferred language that we speak, else English. */
export const chooseLanguage = (kept: string | undefined, preferred: readonly string[]): Language => {
  if (isLanguage(kept)) return kept;
  return preferred.map((tag) => tag.slice(0, 2).toLowerCase()).find(isLanguage) ?? 'en';
};

/** The text in the visitor's language, else in any language it exists in, else `otherwise`. */
export const localText = (byLanguage: Record<string, string>, language: Language, otherwise = ''): string =>
  byLanguage[language] ?? byLanguage.en ?? Object.values(byLanguage)[0] ?? otherwise;

export interface LanguageChoice {
  language: Language;
  texts: Texts;
  choose: (language: Language) => void;
}

export const LanguageContext = createContext<LanguageChoice>({
  language: 'en',
  texts: texts.en,
  choose: () => undefined,
});

export const useLanguage = (): LanguageChoice => useContext(LanguageContext);

export const useTexts = (): Texts => useLanguage().texts;
