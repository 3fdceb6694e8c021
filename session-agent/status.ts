/** One instance of an app on this host, with its session if it has one, as `status` shows it. */
export interface InstanceStatus {
  instance_id: string;
  rc_name: string;
  card: number;
  /** That of a session's instance, or `warming`, then `warm`: started ahead, registered, and no session has it yet. */
  phase: string;
  session_id?: string;
  /** When it was started, epoch ms. */
  since: number;
  app_pid?: number;
  signalling_pid?: number;
  /** Restarts of the app within the policy's window. */
  restarts: number;
}

/** What is kept warm of one app, as `status` shows it. */
export interface WarmStatus {
  rc_name: string;
  /** The larger of config.json's word and the coordinator's. */
  wanted: number;
  ready: number;
  starting: number;
  /** Warm starts that failed in a row, why the last one did, and when the next is tried (epoch ms). */
  failures?: number;
  last_error?: string;
  next_try_at?: number;
}
