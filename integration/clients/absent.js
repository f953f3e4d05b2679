// Stands for the Node modules that the clients load but do not use in a page.
export class TLSSocket {} // for instanceof
export default { TLSSocket };
