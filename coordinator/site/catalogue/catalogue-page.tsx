import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { createSession, type Failure, isFailure } from '../kit/api.ts';
import { enter } from '../kit/enter.ts';
import { JoinForm } from '../kit/join-form.tsx';
import { useLanguage, useTexts } from '../kit/language.ts';
import { SiteHeader } from '../kit/site-header.tsx';
import { AppCard } from './app-card.tsx';
import { type Catalogue, useApps } from './apps-poll.ts';

/** The app that the visitor pressed "Start" on last, and what came of it. */
interface Attempt {
  app: string;
  failure?: Failure;
}

const List = ({ apps, failure }: Catalogue): JSX.Element => {
  const { language, texts } = useLanguage();
  const [attempt, setAttempt] = useState<Attempt>();

  const start = async (app: string) => {
    if (attempt !== undefined && attempt.failure === undefined) return;
    setAttempt({ app });
    const answer = await createSession(app, language);
    if (isFailure(answer)) setAttempt({ app, failure: answer });
    else enter(answer);
  };

  if (apps === undefined) {
    return failure === undefined ? (
      <div class="cards" role="status" aria-label={texts.listLoading}>
        <div class="card skeleton" />
        <div class="card skeleton" />
      </div>
    ) : (
      <p class="empty" role="status">
        {failure.failed === 'unreachable' ? texts.listUnreachable : texts.failures[failure.failed]}
      </p>
    );
  }
  return (
    <>
      {failure !== undefined && (
        <p class="stale" role="status">
          {texts.listStale}
        </p>
      )}
      {apps.length === 0 && (
        <div class="empty">
          <h3>{texts.listEmptyTitle}</h3>
          <p>{texts.listEmpty}</p>
        </div>
      )}
      <div class="cards">
        {apps.map((app) => (
          <AppCard
            key={app.name}
            app={app}
            starting={attempt?.app === app.name && attempt.failure === undefined}
            failure={attempt?.app === app.name ? attempt.failure : undefined}
            onStart={() => start(app.name)}
          />
        ))}
      </div>
    </>
  );
};

/** The first page: what can be visited, and the way in for those who have a code (`invited` when their link holds it). */
export const CataloguePage = ({ invited }: { invited: string }): JSX.Element => {
  const texts = useTexts();
  const catalogue = useApps();
  useEffect(() => {
    document.title = `${texts.catalogueTitle} · Vitrina`;
  }, [texts]);
  return (
    <div class="catalogue">
      <SiteHeader />
      <main>
        <div class="hero">
          <div class="hero-words">
            <h1>{texts.catalogueTitle}</h1>
            <p>{texts.catalogueLead}</p>
          </div>
          <section class={invited === '' ? 'join' : 'join invited'} aria-labelledby="join-title">
            <h2 id="join-title">{invited === '' ? texts.joinTitle : texts.joinInvited}</h2>
            <p>{invited === '' ? texts.joinLead : texts.joinInvitedLead}</p>
            <JoinForm invited={invited} />
          </section>
        </div>
        <section aria-labelledby="list-title">
          <h2 id="list-title" class="list-title">
            {texts.catalogueHeading}
          </h2>
          <List {...catalogue} />
        </section>
      </main>
    </div>
  );
};
