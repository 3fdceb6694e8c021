import './no-eval.ts';
import { type JSX, render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { CataloguePage } from './catalogue-page.tsx';
import { InvitePage } from './invite-page.tsx';
import { keep, recall } from './keep.ts';
import { chooseLanguage, type Language, LanguageContext } from './language.ts';
import { NoPage } from './no-page.tsx';
import { ResetPage } from './reset-page.tsx';
import { useRoute } from './route.ts';
import { SessionPage } from './session-page.tsx';
import { texts } from './texts.ts';

const language_key = 'vitrina:language';

const Site = (): JSX.Element => {
  const { route, visit } = useRoute();
  const [language, setLanguage] = useState<Language>(() =>
    chooseLanguage(recall('local', language_key), navigator.languages),
  );
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const choose = (chosen: Language) => {
    keep('local', language_key, chosen);
    setLanguage(chosen);
  };
  return (
    <LanguageContext.Provider value={{ language, texts: texts[language], choose }}>
      {route.page === 'catalogue' && <CataloguePage key={visit} invited={route.code} />}
      {route.page === 'session' && <SessionPage key={visit} id={route.id} />}
      {route.page === 'reset' && <ResetPage key={visit} secret={route.secret} />}
      {route.page === 'invite' && <InvitePage key={visit} invite={route.invite} />}
      {route.page === 'none' && <NoPage like={route.like} />}
    </LanguageContext.Provider>
  );
};

render(<Site />, document.body);
