/** One instance of an app on this host, with its session if it has one, as `status` shows it. */
export interface InstanceStatus {
  instance_id: string;
  rc_name: string;
  card: number;
  /** `warm`: started ahead, its streamer has registered, and no session has it yet. */
  phase: string;
  session_id?: string;
  /** When it was started, epoch ms. */
  since: number;
  app_pid?: number;
  signalling_pid?: number;
  /** Restarts of the app within the policy's window. */
  restarts: number;
}
