import type { Instance } from './instance.ts';
import type { InstanceStatus } from './status.ts';

/** On its way out, or gone. */
export const isLeaving = ({ phase }: Pick<Instance, 'phase'>): boolean =>
  phase === 'stopping' || phase === 'ended';

/** An instance as `status` shows it. */
export const describeInstance = (instance: Instance): InstanceStatus => {
  const { birth, order, phase, restarts } = instance;
  const [app_pid, signalling_pid] = [instance.pid('app'), instance.pid('signalling')];
  const warm_phase = phase === 'ready' ? 'warm' : isLeaving(instance) ? phase : 'warming';
  return {
    instance_id: birth.instance_id,
    rc_name: birth.app.rc_name,
    card: birth.card,
    phase: order === undefined ? warm_phase : phase,
    ...(order === undefined ? {} : { session_id: order.session_id }),
    since: birth.created_at,
    ...(app_pid === undefined ? {} : { app_pid }),
    ...(signalling_pid === undefined ? {} : { signalling_pid }),
    restarts,
  };
};
