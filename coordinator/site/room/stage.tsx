import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { systemClock } from '../../../shared/clock.ts';
import type { Session } from '../../../shared/protocol/http.ts';
import { tellActivity } from '../kit/api.ts';
import { Icon } from '../kit/icons.tsx';
import { useTexts } from '../kit/language.ts';
import type { Membership } from '../kit/membership.ts';
import { watchActivity } from './activity.ts';
import type { Link } from './link.ts';
import { Lobby } from './lobby.tsx';
import { Overlay } from './overlay.tsx';
import { loadStream, Player } from './player.ts';
import { SteeringHints, TouchSteering } from './steering.tsx';
import { TimeLeft } from './time-left.tsx';
import { Waiting, waitOf } from './waiting.tsx';

interface Props {
  id: string;
  membership: Membership;
  session: Session | undefined;
  arrived: number;
  silent: boolean;
  title: string;
}

/** The player of this page: made when the page shows, closed when it goes. */
const usePlayer = (id: string, token: string, ready: boolean) => {
  const parent = useRef<HTMLDivElement>(null);
  const player = useRef<Player>(null);
  const [link, setLink] = useState<Link>({ state: 'idle' });
  const [refused, setRefused] = useState(false);
  const [away, setAway] = useState(false);
  const [trouble, setTrouble] = useState<string>();
  useEffect(() => {
    if (parent.current === null) return undefined;
    const made = new Player({
      parent: parent.current,
      session: id,
      token,
      clock: systemClock,
      random: Math.random,
      onLink: (next) => {
        setLink(next);
        if (next.state !== 'playing') setRefused(false);
      },
      onTrouble: setTrouble,
      onAway: setAway,
      onPlayRefused: () => setRefused(true),
    });
    player.current = made;
    // Fetched now, needed when the app is ready.
    void loadStream().catch(() => undefined);
    const hurry = () => made.hurry();
    window.addEventListener('online', hurry);
    return () => {
      window.removeEventListener('online', hurry);
      made.close();
    };
  }, [id, token]);
  useEffect(() => player.current?.phase(ready), [ready]);
  return { parent, player, link, away, trouble, refused, setRefused };
};

/** Tells of input while there is a picture. */
const useActivity = (id: string, token: string, playing: boolean): void =>
  useEffect(() => {
    if (!playing) return undefined;
    // Not waited for: an answer that does not come changes nothing here, and the next input tells again.
    return watchActivity(document, () => void tellActivity(id, token), systemClock);
  }, [playing, id, token]);

/** For a browser that plays only after a click. */
const PlayButton = ({ onPlay }: { onPlay: () => void }): JSX.Element => (
  <button type="button" class="play-refused" onClick={onPlay}>
    <Icon name="play" />
    {useTexts().pressToPlay}
  </button>
);

/** The picture goes on, but nothing reaches the server. */
const AwayNote = (): JSX.Element => (
  <p class="away" role="status">
    {useTexts().signallingAway}
  </p>
);

type SaidProps = Pick<Props, 'membership' | 'session' | 'arrived'> & { playing: boolean; away: boolean };

/** What is said over the picture. */
const Said = ({ membership, session, arrived, playing, away }: SaidProps): JSX.Element => (
  <div class="said">
    {playing && <SteeringHints />}
    {playing && away && <AwayNote />}
    {playing && session !== undefined && (
      <TimeLeft
        session={session}
        arrived={arrived}
        owner={membership.owner}
        token={membership.participant_token}
      />
    )}
    {membership.owner && session !== undefined && (
      <Lobby session={session} token={membership.participant_token} />
    )}
  </div>
);

/** The whole window for the picture, what is said while there is none, and the controls above it. */
export const Stage = ({ id, membership, session, arrived, silent, title }: Props): JSX.Element => {
  const inLobby = session?.waiting.includes(membership.participant_id) ?? false;
  const ready = session?.phase === 'ready' && !inLobby;
  const { parent, player, link, away, trouble, refused, setRefused } = usePlayer(
    id,
    membership.participant_token,
    ready,
  );
  const [muted, setMuted] = useState(true);
  const [played, setPlayed] = useState(false);
  const [watched, setWatched] = useState(false);
  const playing = link.state === 'playing';

  useEffect(() => {
    if (playing) setPlayed(true);
  }, [playing]);
  useEffect(() => {
    if (session !== undefined && !ready) setWatched(true);
  }, [session, ready]);

  useActivity(id, membership.participant_token, playing);
  const turnSound = (on: boolean) => {
    setMuted(!on);
    player.current?.setMuted(!on);
  };

  return (
    <div class="stage" data-link={link.state}>
      <div class="screen" ref={parent} />
      {!playing && (
        <Waiting
          wait={inLobby ? 'lobby' : waitOf(session, link, { watched, played })}
          session={session}
          arrived={arrived}
          silent={silent}
          trouble={trouble}
          onAgain={() => player.current?.again()}
        />
      )}
      {refused && (
        <PlayButton
          onPlay={() => {
            setRefused(false);
            player.current?.play();
          }}
        />
      )}
      {playing && <TouchSteering />}
      <Said {...{ membership, session, arrived, playing, away }} />
      <Overlay
        id={id}
        membership={membership}
        session={session}
        title={title}
        playing={playing}
        muted={muted}
        onSound={turnSound}
      />
    </div>
  );
};
