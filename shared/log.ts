import pino from 'pino';

/** A logger with pino's methods: `log.info({ session }, 'session started')`. */
export type Log = pino.Logger;

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Fields that never reach a log line, at the top level or one level down. */
const secretFields = [
  'key',
  'token',
  'ticket',
  'code',
  'secret',
  'password',
  'credential',
  'authorization',
  'cookie',
];

/**
 * JSON lines on standard output (or `destination`), secrets replaced by "[secret]".
 * The agent and the coordinator fork it per session with `log.child({ session })`.
 */
export const createLog = (
  program: string,
  level: LogLevel = 'info',
  destination?: pino.DestinationStream,
): Log =>
  pino(
    {
      base: { program },
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretFields.flatMap((field) => [field, `*.${field}`]), censor: '[secret]' },
      serializers: { error: pino.stdSerializers.err },
    },
    destination ?? pino.destination({ fd: 1, sync: true }),
  );

/** A logger that writes nothing, for tests. */
export const silentLog: Log = pino({ level: 'silent' });
