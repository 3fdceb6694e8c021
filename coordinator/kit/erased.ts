/** Whose what is left of somebody is: nobody knows any more. */
export const erased = 'erased';

/** E-mail addresses of accounts that are being erased: no person's has a colon. From, and up to, not including. */
export const erasing = { from: `${erased}:`, to: `${erased};` } as const;

/** Whether the account is being erased: its row stays until nothing names it, and nobody does anything with it. */
export const isErasing = ({ email }: { readonly email: string }): boolean => email.startsWith(erasing.from);
