import './no-eval.ts';
import { type JSX, render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ResetPage } from './account/reset-page.tsx';
import { CataloguePage } from './catalogue/catalogue-page.tsx';
import { keep, recall } from './kit/keep.ts';
import { chooseLanguage, type Language, LanguageContext } from './kit/language.ts';
import { useRoute } from './kit/route.ts';
import { texts } from './kit/texts.ts';
import { NoPage } from './no-page.tsx';
import { InvitePage } from './room/invite-page.tsx';
import { SessionPage } from './room/session-page.tsx';

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
