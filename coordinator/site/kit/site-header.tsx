import type { JSX } from 'preact';
import { type Language, useLanguage } from './language.ts';
import { goTo } from './route.ts';
import { texts as tables } from './texts.ts';

const languages = Object.keys(tables) as Language[];

/** Name and language switch. The name leads to the catalogue. */
export const SiteHeader = (): JSX.Element => {
  const { language, texts, choose } = useLanguage();
  return (
    <header class="site-header">
      <a
        class="brand"
        href="/"
        onClick={(event) => {
          event.preventDefault();
          goTo('/');
        }}
      >
        Vitrina
      </a>
      <fieldset class="languages">
        <legend class="hidden">{texts.languageSwitch}</legend>
        {languages.map((each) => (
          <button
            key={each}
            type="button"
            lang={each}
            aria-pressed={each === language}
            aria-label={tables[each].languageName}
            onClick={() => choose(each)}
          >
            {each.toUpperCase()}
          </button>
        ))}
      </fieldset>
    </header>
  );
};
