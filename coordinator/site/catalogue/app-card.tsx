import type { JSX } from 'preact';
import { useId } from 'preact/hooks';
import type { App } from '../../../shared/protocol/http.ts';
import type { Failure } from '../kit/api.ts';
import { FailureNote } from '../kit/failure-note.tsx';
import { localText, useLanguage } from '../kit/language.ts';
import type { Texts } from '../kit/texts.ts';
import { AppPicture } from './app-picture.tsx';

type Availability = 'free' | 'busy' | 'offline';

const availabilityOf = ({ seats, seats_free }: Pick<App, 'seats' | 'seats_free'>): Availability => {
  if (seats === 0) return 'offline';
  return seats_free > 0 ? 'free' : 'busy';
};

const seatsText = (app: App, texts: Texts): { status: string; hint?: string } =>
  ({
    free: { status: texts.seatsFree(app.seats_free) },
    busy: { status: texts.seatsBusy, hint: texts.seatsBusyHint },
    offline: { status: texts.seatsOffline, hint: texts.seatsOfflineHint },
  })[availabilityOf(app)];

interface Props {
  app: App;
  /** This app's session is being asked for. */
  starting: boolean;
  failure: Failure | undefined;
  onStart: () => void;
}

export const AppCard = ({ app, starting, failure, onStart }: Props): JSX.Element => {
  const { language, texts } = useLanguage();
  const about = useId();
  const availability = availabilityOf(app);
  const { status, hint } = seatsText(app, texts);
  const description = localText(app.description, language);
  return (
    <article class="card">
      <div class="card-picture">
        <AppPicture app={app} />
      </div>
      <div class="card-body">
        <h3>{localText(app.title, language, app.name)}</h3>
        {description !== '' && <p class="card-description">{description}</p>}
        <div class="card-foot">
          <p class={`seats seats-${availability}`} id={about}>
            <strong>{status}</strong>
            {hint !== undefined && <span>{hint}</span>}
          </p>
          <button
            type="button"
            class={availability === 'free' ? 'button primary' : 'button'}
            aria-describedby={about}
            aria-busy={starting}
            onClick={onStart}
          >
            {starting ? texts.starting : texts.start}
          </button>
        </div>
        <FailureNote failure={failure} />
      </div>
    </article>
  );
};
