import { stat } from 'node:fs/promises';
import path from 'node:path';
import { namesNoFile, UserError } from '../../errors.ts';

/** The absolute path of a file that a user named, or a UserError that says that it is not there. */
export async function localFile(named: string): Promise<string> {
  const file = path.resolve(named);
  try {
    if ((await stat(file)).isFile()) return file;
  } catch (error) {
    if (!namesNoFile(error)) throw error;
  }
  throw new UserError({
    code: 'data_unavailable',
    message: `There is no file ${named}.`,
    where: file,
    fix: 'Mend the path.',
  });
}
