/** Another page of the site, from which somebody comes back once he is told to. */
const channel = new BroadcastChannel('test');
channel.onmessage = () => history.back();
channel.postMessage('elsewhere');

export {};
