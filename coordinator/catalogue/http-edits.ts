import { isRefusal } from '../../shared/errors.ts';
import type { Services } from '../kit/services.ts';

/** What the routes need by which operators edit the catalogue. */
export interface CatalogueNeeds extends Pick<Services, 'db' | 'clock' | 'ids' | 'store' | 'log'> {
  /** Takes an edit that has been stored into force. */
  catalogueChanged(): void | Promise<void>;
}

/** Puts an edit into force before it is answered, unless it was refused. */
export const inForce = async <T>({ catalogueChanged }: CatalogueNeeds, edit: Promise<T>): Promise<T> => {
  const result = await edit;
  if (!isRefusal(result)) await catalogueChanged();
  return result;
};
