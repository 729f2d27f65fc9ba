/** Parts of names that columns about a person usually have, in words of a-z. */
const exact = new Set([
  'name',
  'email',
  'phone',
  'mobile',
  'fax',
  'address',
  'street',
  'ssn',
  'passport',
  'iban',
  'dob',
  'birthday',
  'birthdate',
  'surname',
  'firstname',
  'lastname',
  'fullname',
  'username',
  'login',
  'ip',
]);
const pairs = [
  ['first', 'name'],
  ['last', 'name'],
  ['full', 'name'],
  ['user', 'name'],
  ['customer', 'name'],
  ['birth', 'date'],
  ['date', 'birth'],
  ['social', 'security'],
  ['credit', 'card'],
  ['card', 'number'],
  ['account', 'number'],
  ['ip', 'address'],
  ['e', 'mail'],
];
/** A name that says of what it is: `product_name` names no person. */
const things = /^(product|item|brand|model|file|column|city|country|state|event|category|store|shop|team)$/;

/** Whether a column's name looks as if it held what tells a person. A guess: a person decides. */
export function looksPersonal(name: string): boolean {
  const parts = name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((part) => part !== '');
  if (parts.some((part) => things.test(part))) return false;
  if (pairs.some((pair) => pair.every((part) => parts.includes(part)))) return true;
  return parts.some((part) => exact.has(part));
}
