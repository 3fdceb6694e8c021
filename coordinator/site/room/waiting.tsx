import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { systemClock } from '../../../shared/clock.ts';
import type { Session } from '../../../shared/protocol/http.ts';
import { Icon } from '../kit/icons.tsx';
import { useTexts } from '../kit/language.ts';
import type { Link } from './link.ts';
import { secondsText, stepsOf, waited } from './phases.ts';
import { useNow } from './session-state.ts';

/** Why there is no picture at the moment. */
export type Wait = 'lobby' | 'opening' | 'starting' | 'restarting' | 'reconnecting' | 'gave_up';

/** `watched` says that this page saw the app start, `played` that it has shown a picture before. */
export const waitOf = (
  session: Session | undefined,
  link: Link,
  { watched, played }: { watched: boolean; played: boolean },
): Wait => {
  if (session === undefined) return 'opening';
  if (session.phase === 'restarting') return 'restarting';
  if (link.state === 'gave_up') return 'gave_up';
  if (session.phase === 'ready' && played) return 'reconnecting';
  return session.phase === 'ready' && !watched ? 'opening' : 'starting';
};

const Elapsed = ({ since, before_ms = 0 }: { since: number; before_ms?: number }): JSX.Element => {
  const texts = useTexts();
  const ms = useNow(200) - since + before_ms;
  return <span class="elapsed">{texts.seconds(secondsText(Math.max(0, ms)))}</span>;
};

const Steps = ({ session, arrived }: { session: Session; arrived: number }): JSX.Element => {
  const texts = useTexts();
  return (
    <>
      <ol class="steps">
        {stepsOf(session).map(({ name, state, took_ms }) => (
          <li key={name} class={`step step-${state}`} aria-current={state === 'now' ? 'step' : undefined}>
            <span class="step-mark">{state === 'done' && <Icon name="check" />}</span>
            <span class="step-name">{texts.steps[name]}</span>
            {took_ms !== undefined && <span class="took">{texts.seconds(secondsText(took_ms))}</span>}
            {state === 'now' && <Elapsed key={session.version} since={arrived} />}
          </li>
        ))}
      </ol>
      <p class="total">
        {texts.elapsed} <Elapsed since={arrived} before_ms={waited(session, 0)} />
      </p>
    </>
  );
};

interface Props {
  wait: Wait;
  session: Session | undefined;
  arrived: number;
  /** The coordinator does not answer. */
  silent: boolean;
  /** What the browser said when it could not show the picture. */
  trouble: string | undefined;
  onAgain: () => void;
}

const Message = ({ wait, session, arrived, onAgain }: Props): JSX.Element => {
  const texts = useTexts();
  const [began] = useState(() => systemClock.monotonic());
  const spinner = <span class="spinner" aria-hidden="true" />;
  const block = (title: string, body: ComponentChildren) => (
    <>
      <h2>{title}</h2>
      {body}
    </>
  );
  if (wait === 'lobby') return block(texts.lobbyTitle, <p>{texts.lobbyNote}</p>);
  if (wait === 'starting' && session !== undefined) {
    return block(
      texts.waitingTitle,
      <>
        <Steps session={session} arrived={arrived} />
        <p>{texts.waitingNote}</p>
      </>,
    );
  }
  if (wait === 'gave_up') {
    return block(
      texts.gaveUpTitle,
      <>
        <p>{texts.gaveUpNote}</p>
        <button type="button" class="button primary" onClick={onAgain}>
          {texts.tryAgain}
        </button>
      </>,
    );
  }
  const said = {
    restarting: { title: texts.restartingTitle, note: texts.restartingNote },
    reconnecting: { title: texts.reconnectingTitle, note: texts.reconnectingNote },
  };
  if (wait === 'restarting' || wait === 'reconnecting') {
    return block(
      said[wait].title,
      <>
        <p>{said[wait].note}</p>
        <p class="total">
          {spinner} <Elapsed since={began} />
        </p>
      </>,
    );
  }
  return block(texts.openingTitle, <p class="total">{spinner}</p>);
};

/** What the visitor sees instead of a picture, or over the last one. */
export const Waiting = (props: Props): JSX.Element => {
  const texts = useTexts();
  const spoken = {
    lobby: texts.lobbyTitle,
    opening: texts.openingTitle,
    starting: texts.waitingTitle,
    restarting: texts.restartingTitle,
    reconnecting: texts.reconnectingTitle,
    gave_up: texts.gaveUpTitle,
  }[props.wait];
  const step = props.session && stepsOf(props.session).find(({ state }) => state === 'now')?.name;
  return (
    <div class="waiting" data-wait={props.wait} data-phase={props.session?.phase}>
      <p class="hidden" role="status">
        {spoken}
        {props.wait === 'starting' && step !== undefined && `. ${texts.steps[step]}`}
      </p>
      <div class="waiting-panel">
        <Message key={props.wait} {...props} />
        {props.trouble !== undefined && <p class="failure">{texts.browserTrouble(props.trouble)}</p>}
        {props.silent && <p class="failure">{texts.serverSilent}</p>}
      </div>
    </div>
  );
};
