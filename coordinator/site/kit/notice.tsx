import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { createSession, type Failure, isFailure } from './api.ts';
import { enter } from './enter.ts';
import { FailureNote } from './failure-note.tsx';
import { useLanguage } from './language.ts';
import { goTo } from './route.ts';
import { SiteHeader } from './site-header.tsx';

/** A page that says why there is no session here, and what can be done instead. */
export const Notice = (props: {
  title: string;
  text: string;
  /** Offers to start this app again. */
  app?: string | undefined;
  children?: ComponentChildren;
}): JSX.Element => {
  const { language, texts } = useLanguage();
  const [starting, setStarting] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const { app } = props;

  const startAgain = async (name: string) => {
    if (starting) return;
    setStarting(true);
    setFailure(undefined);
    const answer = await createSession(name, language);
    setStarting(false);
    if (isFailure(answer)) setFailure(answer);
    else enter(answer);
  };

  return (
    <div class="notice">
      <SiteHeader />
      <main>
        <h1>{props.title}</h1>
        <p role="status">{props.text}</p>
        {props.children}
        <div class="notice-actions">
          {app !== undefined && (
            <button type="button" class="button primary" aria-busy={starting} onClick={() => startAgain(app)}>
              {starting ? texts.starting : texts.startAgain}
            </button>
          )}
          <button type="button" class="button" onClick={() => goTo('/')}>
            {texts.backToList}
          </button>
        </div>
        <FailureNote failure={failure} />
      </main>
    </div>
  );
};
