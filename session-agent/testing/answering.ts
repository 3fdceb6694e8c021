import { stateFolderOf } from '../config.ts';
import { controlHandler, openDoor } from '../operator/control.ts';
import type { AgentStatus } from '../status.ts';

/** Answers commands as a running agent of this config.json does; the function returned ends that. */
export const answering = (
  file: string,
  changes: Partial<AgentStatus>,
  handOver: () => void = () => {},
): (() => Promise<void>) => {
  const token = 'a-token-that-is-long-enough';
  const status = (): AgentStatus => ({
    version: '1.2.3',
    pid: 1,
    started_at: 0,
    executable: '/opt/session-agent',
    service: null,
    log_folder: '/nowhere',
    server_name: 'host-1',
    coordinator: 'wss://coordinator.example/agent',
    link: { state: 'connected', since: 0 },
    seats: 1,
    instances: [
      {
        instance_id: 'i-1',
        rc_name: 'Loft',
        card: 0,
        phase: 'ready',
        session_id: 's-1',
        since: 1,
        restarts: 0,
      },
    ],
    warm: [],
    apps: [],
    figures: null,
    config: { file, problems: [`${file}:1: not valid JSON`] },
    errors: [],
    ...changes,
  });
  const fetch = controlHandler(token, { status: async () => status(), handOver });
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch });
  const close = openDoor(stateFolderOf(file), { pid: 1, port: server.port ?? 0, token });
  return async () => {
    close();
    await server.stop(true);
  };
};
