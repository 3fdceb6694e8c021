import { z } from 'zod';

/**
 * Imported before everything else: zod otherwise probes for `new Function`, which a strict content security policy
 * reports as a violation.
 */
z.config({ jitless: true });
