// Runs in the answer to an htmlfile request for a session that is over.
reach().singleton.HTMLFile.instances[parameters().frameID].streamClosed();
