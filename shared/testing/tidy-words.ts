import { isDevelopment, isScript, isTest, occurrences, type Source, type Violation } from './source.ts';
import { isPure } from './tidy-imports.ts';

/** A word that may stand in few places. `allowed` lists them; `raw` looks into comments and strings too. */
interface WordRule {
  word: RegExp;
  says: string;
  applies: (path: string) => boolean;
  raw?: boolean;
}

const isMain = (path: string): boolean => /(^|\/)main\.tsx?$/.test(path);
/** The browser's page and the stand-in for Unreal are no part of the platform's timing: they use what they run on. */
const isWorldly = (path: string): boolean => /^(coordinator\/site|session-agent\/demo-app)\//.test(path);
const ships = (path: string): boolean => isScript(path) && !isDevelopment(path);

/** The rules that a pattern can check. Where a place is allowed, the reason stands beside it. */
const wordRules: readonly WordRule[] = [
  {
    word: /\bBun\.spawn(Sync)?\b/g,
    says: 'processes are started in session-agent/processes only',
    applies: (path) => ships(path) && !/^session-agent\/processes/.test(path),
  },
  {
    word: /\bprocess\.(env|on|once|argv|exit)\b|\bBun\.(serve|env|argv)\(/g,
    says: 'environment, signals, exit and Bun.serve belong to main.ts: pass it in',
    applies: (path) => ships(path) && !isMain(path),
  },
  {
    word: /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bset(Timeout|Interval|Immediate)\b|\bBun\.(sleep|nanoseconds)\b/g,
    says: 'time is an argument: take a Clock',
    // A main's last act may be to force the exit when its own clock and timers have failed it.
    applies: (path) => ships(path) && path !== 'shared/clock.ts' && !isWorldly(path) && !isMain(path),
  },
  {
    word: /\bMath\.random\b|\brandom(Bytes|Int|UUID)\b|\bgetRandomValues\b/g,
    says: 'randomness is an argument: take Ids',
    applies: (path) => ships(path) && path !== 'shared/ids.ts' && !isWorldly(path),
  },
  {
    word: /\bsystem(Clock|Ids)\b/g,
    says: 'the real clock and ids are handed out by main.ts',
    // shared defines them; its socket handler takes the clock as an argument with this default.
    applies: (path) => ships(path) && !isMain(path) && !path.startsWith('shared/') && !isWorldly(path),
  },
  {
    word: /\basync\b|\bawait\b|\bfetch\(|\bnew (WebSocket|Promise)\b|\bBun\.|\bprocess\./g,
    says: 'this code is pure: (state, event, now) -> state + effects | refusal',
    applies: (path) => ships(path) && isPure(path),
  },
  {
    word: /\bconsole\s*\./g,
    says: 'use the log',
    applies: isScript,
  },
  {
    word: /:\s*any\b|\bas any\b|<any\b|\bany\[\]|\bany>/g,
    says: 'no any: unknown and a schema',
    applies: ships,
  },
  {
    word: /[\w)\]]!(?=[.;,)\]}]|$)/gm,
    says: 'no non-null assertion: handle the absence',
    applies: isScript,
  },
  {
    word: /@ts-(ignore|nocheck|expect-error)/g,
    says: 'the compiler is not silenced',
    applies: isScript,
    raw: true,
  },
  {
    word: /\b(test|it|describe)\.(skip|only|todo|failing|if|skipIf|todoIf)\b|\bmock\.module\b/g,
    says: 'a test runs, always and by itself',
    applies: isTest,
  },
  {
    word: /\bBun\.sleep(Sync)?\b|\bnode:timers\/promises\b|\bnew Promise\(\(?\w+\)? =>\s*(void )?setTimeout\(\w+,/g,
    says: 'a test waits for what happens, not for time to pass',
    applies: (path) => isScript(path) && (isTest(path) || path.includes('/testing/')),
  },
  {
    word: /\/(?:work|root|home\/\w+|Users)\/(?=\w)|\b[A-Z]:\\\\?Users\b/g,
    says: 'a path of one machine',
    applies: () => true,
    raw: true,
  },
  {
    word: /https?:\/\/[\w.-]*(?:registry|npmjs|artifactory|nexus)|\bregistry\.npmjs\b|npm_config_registry/gi,
    says: 'a registry host',
    applies: () => true,
    raw: true,
  },
  {
    word: /\p{Script=Cyrillic}+/gu,
    says: 'Russian belongs to site texts, demo data, tests and docs',
    applies: (path) =>
      isScript(path) &&
      !isDevelopment(path) &&
      !/^coordinator\/site\/kit\/texts/.test(path) &&
      !isWorldly(path),
    raw: true,
  },
];

/** This file and its test name the words that they forbid. */
const isTidy = (path: string): boolean => path.startsWith('shared/testing/tidy');

export const checkWords = (sources: readonly Source[]): Violation[] =>
  sources
    .filter(({ path }) => !isTidy(path))
    .flatMap(({ path, text, code }) =>
      wordRules
        .filter(({ applies }) => applies(path))
        .flatMap(({ word, says, raw }) => occurrences(path, raw === true ? text : code, word, says)),
    );
